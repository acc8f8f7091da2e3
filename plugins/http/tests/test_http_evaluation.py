"""What an HTTP answer is worth, without a server."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthkit import Status
from healthkit_http.evaluation import Expected, HttpResponse, compiled, compiled_query, evaluate


def answer(status=200, text="", seconds=0.1, **cut):
    return HttpResponse(status, text, seconds, **cut)


def fault(found, **expected):
    """What is wrong with an answer; None when it is healthy."""
    outcome = evaluate(found, Expected(**expected))
    assert outcome.status is not Status.DEGRADED
    return outcome.message if outcome.status is Status.UNHEALTHY else None


@given(st.integers(100, 599))
def test_a_pattern_of_a_status_leaves_open_the_digits_that_are_x(status):
    digits = str(status)
    for pattern in (digits, f"{digits[0]}xx", f"{digits[:2]}x", "xxx", f"x{digits[1:]}"):
        assert fault(answer(status), statuses=(pattern,)) is None
    other = f"{(int(digits[0]) + 1) % 10}xx"
    assert fault(answer(status), statuses=(other,)) == f"HTTP {status}, expected {other}"


def test_one_of_several_statuses_is_enough():
    assert fault(answer(301), statuses=("200", "301")) is None
    assert fault(answer(500), statuses=("200", "301")) == "HTTP 500, expected 200 or 301"


def test_without_anything_expected_only_200_is_healthy():
    assert evaluate(answer(), Expected()).status is Status.HEALTHY
    assert fault(answer(201)) == "HTTP 201, expected 200"


def test_a_text_is_looked_for_and_a_cut_answer_says_how_far():
    assert fault(answer(text="Selamat datang"), text="datang") is None
    assert fault(answer(text="Tutup"), text="datang") == 'the answer does not contain "datang"'
    cut = answer(text="Tutup", whole=False)
    assert fault(cut, text="x") == 'the first megabyte of the answer does not contain "x"'
    assert fault(answer(text="x", whole=False), text="x") is None


def test_a_cut_answer_is_not_read_as_json_even_if_it_could_be():
    whole, cut = answer(text='{"a": 1}'), answer(text='{"a": 1}', whole=False)
    assert fault(whole, json={"$.a": 1}) is None
    assert "too long to be read as JSON" in fault(cut, json={"$.a": 1})
    assert fault(cut) is None, "only where JSON is expected"


def test_json_may_begin_with_a_mark_of_its_encoding():
    """As programs on Windows write it (RFC 8259, 8.1)."""
    assert fault(answer(text='\ufeff{"a": 1}'), json={"$.a": 1}) is None
    assert fault(answer(text='\ufeff{"a": 1}'), queries=("a == `1`",)) is None


@pytest.mark.parametrize("text", ["", "x", '{"a": 1', "[" * 100_000])
def test_what_is_no_json_is_told_as_that(text):
    assert fault(answer(text=text), json={"$.a": 1}) == "the answer is not JSON"
    assert fault(answer(text=text), json={}) is None


def test_every_path_must_be_there_and_every_match_be_right():
    text = '{"a": [{"n": 1}, {"n": 1}, {"n": 2}], "ok": true}'
    assert fault(answer(text=text), json={"$.a[0].n": 1, "$.ok": True}) is None
    assert fault(answer(text=text), json={"$.ok": True, "$.a[*].n": 1}) == (
        "JSON $.a[*].n is 2, expected 1"
    )
    assert fault(answer(text=text), json={"$.b": 1}) == "JSON $.b: missing, expected 1"


@pytest.mark.parametrize(("told", "expected"), [("true", 1), ("1", True), ("0", False)])
def test_true_is_not_one_in_json(told, expected):
    assert fault(answer(text=f'{{"a": {told}}}'), json={"$.a": expected}) is not None


def test_the_first_thing_that_is_wrong_is_told_status_before_text_before_json():
    wrong = answer(500, "x")
    assert fault(wrong, text="y", json={"$.a": 1}).startswith("HTTP 500")
    assert "contain" in fault(wrong, statuses=("500",), text="y", json={"$.a": 1})
    assert "JSON" in fault(wrong, statuses=("500",), text="x", json={"$.a": 1})


def test_an_answer_in_exactly_the_time_allowed_is_not_slow():
    limits = Expected(slow_after=2.0)
    assert evaluate(answer(seconds=2.0), limits).status is Status.HEALTHY
    late = evaluate(answer(seconds=2.01), limits)
    assert (late.status, late.message) == (Status.DEGRADED, "slow: 2.0s")
    assert evaluate(answer(seconds=0.1), Expected(slow_after=0.0)).status is Status.DEGRADED


def test_what_is_long_is_cut_to_sixty_characters():
    exactly, longer = "x" * 58, "x" * 59  # with its two quotes
    assert fault(answer(), text=exactly) == f'the answer does not contain "{exactly}"'
    told = fault(answer(), text=longer).removeprefix("the answer does not contain ")
    assert told == '"' + "x" * 58 + "…"
    assert len(told) == 60


def test_what_is_quoted_stays_in_its_own_letters():
    assert fault(answer(), text="Kenangan é") == 'the answer does not contain "Kenangan é"'


@pytest.mark.parametrize("path", ["$.a[", "", "$..", "a b", "$.a.`sub(/(/, x)`", "$.a.`split(x`"])
def test_what_is_no_path_is_refused_in_words(path):
    with pytest.raises(ValueError, match="is not a JSON path"):
        compiled(path)


def test_what_a_path_cannot_read_is_told_and_not_raised():
    deep = "$" + ".a" * 3_000
    assert "cannot be read" in fault(answer(text='{"a": 1}'), json={deep: 1})


def test_a_path_is_named_in_eighty_characters_and_its_fault_in_a_hundred():
    exactly, longer = "$." + "b" * 78, "$." + "b" * 79
    assert fault(answer(text="{}"), json={exactly: 1}) == f"JSON {exactly}: missing, expected 1"
    shortened = f"JSON {longer[:79]}…: missing, expected 1"
    assert fault(answer(text="{}"), json={longer: 1}) == shortened
    unreadable = fault(answer(text="{}"), json={"$.`split(" + "x" * 60: 1})
    assert len(unreadable.partition(" cannot be read: ")[2]) == 100


def test_an_answer_nested_as_deeply_as_can_be_read_is_judged_too():
    """Just below where it is no JSON any more, to write it is a step too deep."""
    for depth in range(sys.getrecursionlimit() - 200, sys.getrecursionlimit()):
        said = fault(answer(text="[" * depth + "]" * depth), json={"$": 1})
        shown = ("[" * 59 + "…", "what is nested too deeply to be shown")
        assert said in ("the answer is not JSON", *(f"JSON $ is {s}, expected 1" for s in shown))


BODY = """{"depth": 12, "zero": 0, "yes": true, "no": false, "null": null, "empty": [], "none": "",
 "nothing": {}, "word": "x", "some": [0], "workers": [{"name": "a", "up": true}, 1]}"""


@pytest.mark.parametrize(
    "query",
    [
        "yes",
        "zero",  # a number is never empty
        "word",
        "some",
        "workers[0]",
        "depth < `13`",
        "`true`",
        "!no",
        "depth == `12` && length(workers) > `1`",
    ],
)
def test_a_query_that_is_true_in_jmespath_is_fulfilled(query):
    assert fault(answer(text=BODY), queries=(query,)) is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("no", "false"),
        ("null", "null"),
        ("missing", "null"),
        ("none", '""'),
        ("empty", "[]"),
        ("nothing", "{}"),
        ("depth > `12`", "false"),
        ("workers[?name=='b'].up | [0]", "null"),
    ],
)
def test_a_query_that_is_false_or_empty_is_named_with_what_it_found(query, found):
    said = fault(answer(text=BODY), queries=("yes", query, "depth"))
    assert said == f'JSON query "{query}" is {found}'


def test_the_first_of_the_queries_that_is_not_fulfilled_is_named_after_the_paths():
    assert fault(answer(text=BODY), queries=("yes", "no", "null")) == 'JSON query "no" is false'
    assert fault(answer(text=BODY), json={"$.depth": 12}, queries=("word", "yes")) is None
    both = fault(answer(text=BODY), json={"$.depth": 13}, queries=("no",))
    assert both == "JSON $.depth is 12, expected 13"


def test_queries_alone_ask_for_json():
    assert fault(answer(text="no JSON"), queries=("yes",)) == "the answer is not JSON"
    assert "too long" in fault(answer(text=BODY, whole=False), queries=("yes",))


@pytest.mark.parametrize(
    ("text", "query", "reason"),
    [
        ('{"a": 1e999}', "floor(a)", "cannot convert float infinity to integer"),
        ('{"a": 1}', "length(a)", "In function length(), invalid type for value: 1, expected one"),
    ],
)
def test_what_a_query_cannot_answer_is_said_in_a_hundred_characters_and_not_raised(
    text, query, reason
):
    said = fault(answer(text=text), queries=(query,))
    assert said.startswith(f'JSON query "{query}" cannot be answered: {reason}')
    wordy = fault(answer(text=f'{{"a": "{"x" * 200}"}}'), queries=("abs(a)",))
    assert len(wordy.partition(" cannot be answered: ")[2]) == 100


@pytest.mark.parametrize(
    "query", ["depth <", "", "a.b[", "unknown(a", "(" * 5000, "a" * 30 + " " + "b" * 90]
)
def test_what_is_no_query_is_refused_in_words(query):
    with pytest.raises(ValueError, match=r" is not a JMESPath expression: .{10}") as refused:
        compiled_query(query)
    assert len(str(refused.value).partition(" is not a JMESPath expression: ")[2]) <= 100


def test_why_a_query_is_none_is_said_in_a_hundred_characters():
    with pytest.raises(ValueError) as refused:
        compiled_query("a b" * 100)
    assert len(str(refused.value).partition(" is not a JMESPath expression: ")[2]) == 100


def test_why_a_path_is_none_is_told_in_a_hundred_characters():
    with pytest.raises(ValueError) as refused:
        compiled("$.a " + "b" * 300)
    assert len(str(refused.value).partition(" is not a JSON path: ")[2]) == 100


@pytest.mark.parametrize("pattern", ["2x", "200x", ""])
def test_a_pattern_that_has_not_three_characters_fits_no_status_silently(pattern):
    with pytest.raises(ValueError):
        evaluate(answer(), Expected(statuses=(pattern,)))
