"""Where masking begins and ends: what is just a secret, a character, or too much; and what is not.

The figures stand here once more, for a bound that moves is noticed on both of its sides."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthkit.masking import MASK, mask, mask_value, one_line, secret_name, whole_until


@pytest.mark.parametrize("sign", ["=", ":", "%3D", "%3A", r"\u003d", r"\u003A", "=>", ": "])
def test_each_sign_between_a_name_and_its_value_is_enough_alone(sign):
    assert mask(f"pin{sign}hush") == f"pin{sign}{MASK}"


# Names


@pytest.mark.parametrize("length", [63, 64, 65, 200])
def test_a_long_name_is_known_like_a_short_one(length):
    assert secret_name("x" * (length - 8) + "password")
    assert not secret_name("x" * (length - 8) + "passenge")


@pytest.mark.parametrize(("times", "is_known"), [(1, True), (4, True), (5, False)])
def test_a_name_is_known_that_four_servers_have_encoded(times, is_known):
    assert secret_name("%" + "25" * (times - 1) + "70assword") is is_known


def test_a_name_in_quotes_is_all_of_it_and_without_its_first_quote_the_last_word():
    assert mask('{"pin of the till": "hush"}') == f'{{"pin of the till": "{MASK}"}}'
    assert mask('it has no pin, order": 7') == 'it has no pin, order": 7'
    assert mask('pin": "hush"') == f'pin": "{MASK}"'


# Values


@pytest.mark.parametrize(
    "text",
    ["pin=", "pin= ", "?pin=&x=1", "Cookie:", "Cookie: ", "Authorization:", '{"pin": }', "pin=;a"],
)
def test_nothing_is_no_secret(text):
    assert mask(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('Authorization: Digest username="x", response="hush"', f"Authorization: {MASK}"),
        ("HTTP_AUTHORIZATION: Digest a=b, response=hush\n1", f"HTTP_AUTHORIZATION: {MASK}\n1"),
        ("Set-Cookie: sid=hush; Path=/", f"Set-Cookie: {MASK}"),
        ("Cookie:=hush; sid=hush", f"Cookie:={MASK}"),
        ("Authorization: Bearer hush, retry 3", f"Authorization: {MASK}, retry 3"),
        ("token: Digest hush, retry 3", f"token: {MASK}, retry 3"),
        ("cookie=hush; n=1", f"cookie={MASK}; n=1"),
    ],
)
def test_of_a_header_that_has_several_parts_the_whole_line_is_secret(text, masked):
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("pin=[12]34 n=1", f"pin={MASK} n=1"),
        ("pin=(1(2))34 n=1", f"pin={MASK} n=1"),
        ("pin='12' n=1", f"pin='{MASK}' n=1"),
        ("?pin='12'34&n=1", f"?pin='{MASK}'&n=1"),
        ("pin=it's,n=1", f"pin={MASK},n=1"),
        ("{'text': 'pin=12', 'n': 1}", f"{{'text': 'pin={MASK}', 'n': 1}}"),
        ('{"text": "pin=b", "n": 1}', f'{{"text": "pin={MASK}", "n": 1}}'),
        (r'{"a": "{\"b\": \"pin=12\"}"}', rf'{{"a": "{{\"b\": \"pin={MASK}\"}}"}}'),
        (r"a='pin=1\'", rf"a='pin={MASK}\'"),
    ],
)
def test_a_value_ends_where_the_text_around_it_goes_on(text, masked):
    assert mask(text) == masked


@given(st.text(st.characters(codec="utf-8"), max_size=20).map(lambda text: f"zq{text}qz"))
def test_a_secret_that_python_wrote_with_its_type_does_not_show(secret):
    """As `f"{pin=}"` and the `repr` of a dataclass write it."""
    for value in (secret.encode(), bytearray(secret.encode()), [secret], {secret: 1}):
        text = f"Login(pin={value!r}, n=1)"
        assert "zq" not in mask(text)
        assert mask(text).endswith(", n=1)")
        assert mask(mask(text)) == mask(text)
    assert mask(f"pin=UUID('{'12 34'}') n=1") == f"pin={MASK} n=1"


# Structures


def test_fifty_thousand_values_of_a_structure_are_looked_at():
    assert mask_value([*[0] * 49_998, [1]])[-1] == [1]
    assert mask_value([*[0] * 49_999, [1]])[-1] == MASK
    assert mask_value([[0] * 49_994, [1], [2], [3]])[1:] == [[1], [2], MASK]
    assert mask_value({"a": [0] * 49_999, "b": [1]}) == {"a": [0] * 49_999, "b": MASK}


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (["pin", 1234], ["pin", MASK]),
        (("pin", None), ["pin", None]),
        ([1234, "pin"], [1234, "pin"]),
        (["pin"], ["pin"]),
        (["pin", 1, 2], ["pin", 1, 2]),
        (["n", {"pin": 1}], ["n", {"pin": MASK}]),
        (["?pin=1", 1], [f"?pin={MASK}", MASK]),
    ],
)
def test_a_list_of_two_is_a_name_with_its_value_and_no_longer_or_shorter_one(value, masked):
    assert mask_value(value) == masked


def test_a_set_is_no_name_with_its_value():
    assert sorted(mask_value({"pin", "1234"})) == ["1234", "pin"]


def test_of_a_line_ten_thousand_characters_are_looked_at():
    assert one_line("a" * 9_999 + "bc", 20_000) == "a" * 9_999 + "b"


# Where a text may be cut

FLAG = "\U0001f1ee\U0001f1e9"
ACCENT = "\u0301"


@pytest.mark.parametrize(
    ("text", "end", "place"),
    [
        ("abc", 2, 2),
        ("abc", 3, 3),
        (f"abe{ACCENT}", 3, 2),
        (f"a{ACCENT}b", 1, 0),
        (ACCENT * 3, 2, 0),
        ("\U0001f44d\U0001f3fb", 1, 0),
        ("\U0001f44d\U0001f3ff", 1, 0),
        ("\U0001f44d\U0001f3fa", 1, 1),
        ("\U0001f44d\U0001f400", 1, 1),
        ("\U0001f1e6\U0001f1e6", 1, 0),
        ("\U0001f1ff\U0001f1ff", 1, 0),
        ("\U0001f1e5\U0001f1e5", 1, 1),
        ("\U0001f200\U0001f200", 1, 1),
        (f"{FLAG}x", 2, 2),
        (f"{FLAG}{ACCENT}", 2, 0),
        (f"{FLAG[0]}x", 1, 1),
        (f"x{FLAG}", 1, 1),
        (f"x{FLAG}", 2, 1),
        ("a\u200d", 1, 0),
        ("a\u200d", 2, 0),
        (f"\u200d{FLAG}", 1, 0),
    ],
)
def test_a_text_is_cut_before_the_character_that_its_end_is_in(text, end, place):
    assert whole_until(text, end) == place


@pytest.mark.parametrize("end", [99, 100, 101, 102, 2_001])
def test_no_flag_is_cut_apart_however_many_stand_in_a_row(end):
    assert whole_until(FLAG * 2_000, end) == end // 2 * 2


def test_a_character_is_looked_for_in_64_code_points():
    long = "12345e" + ACCENT * 100
    assert whole_until(long, 68) == 5
    assert whole_until(long, 69) == 69


def test_json_of_a_secret_that_is_no_text_stays_json():
    for value in (1234, None, True, [1, "]"], {"a": "}"}):
        assert json.loads(mask(json.dumps({"pin": value, "n": 1})))["n"] == 1
