"""No secret passes, whatever it stands in; what is no secret stays as it was."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthkit.masking import MASK, mask, mask_value, one_line

from .drawn_secrets import names, secrets, texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "POST /api/v1/auth/login?password=Secret123&token=abc-def-ghi",
            f"POST /api/v1/auth/login?password={MASK}&token={MASK}",
        ),
        ("postgresql://pos:hush@db:5432/pos", f"postgresql://{MASK}@db:5432/pos"),
        ('{"password": "a\\"b", "name": "Dewi"}', f'{{"password": "{MASK}", "name": "Dewi"}}'),
        ("Authorization: Bearer abcdefgh.ijkl", f"Authorization: {MASK}"),
        ("POST /login?next%3Fpassword%3Dhush", f"POST /login?next%3Fpassword%3D{MASK}"),
        ("Cookie: session=1; theme=dark", f"Cookie: {MASK}"),
        ("{'refresh_token': 'abc', 'n': 1}", f"{{'refresh_token': '{MASK}', 'n': 1}}"),
        ("tgram://123456:ABC-DEF/987", f"tgram://{MASK}"),
        ("mailtos://me:hush@smtp.example.com", f"mailtos://{MASK}"),
        ("fonnte://token/628123456789", f"fonnte://{MASK}"),
        ("https://discord.com/api/webhooks/1/abc", f"https://discord.com/api/webhooks/{MASK}"),
        ("POST /health/beat/0123456789abcdef", f"POST /health/beat/{MASK}"),
        ("GET /health/beat/0123456789abcdef/start", f"GET /health/beat/{MASK}"),
        ("POST /health/report/0123456789abcdef", f"POST /health/report/{MASK}"),
        ("card 4111 1111 1111 1111 declined", f"card {MASK} declined"),
        ("card 4111111111111111.", f"card {MASK}."),
        ("?card=4111111111111111 401", f"?card={MASK} 401"),
        ("401 4111-1111-1111-1111 5500000000000004 7", f"401 {MASK} {MASK} 7"),
        (
            'Content-Disposition: form-data; name="pin"\r\n\r\n1234\r\n--x\r\n'
            'Content-Disposition: form-data; filename="pin"; name="note"\r\n\r\nhot\r\n--x--',
            f'Content-Disposition: form-data; name="pin"\r\n\r\n{MASK}\r\n--x\r\n'
            'Content-Disposition: form-data; filename="pin"; name="note"\r\n\r\nhot\r\n--x--',
        ),
        ("FATAL: dsn host=db password=hush dbname=pos", None),
        ("INSERT [parameters: {'password_hash': '$argon2id$v=19$m=1,t=2'}]", None),
    ],
)
def test_each_form_of_a_secret_is_masked(text, expected):
    found = mask(text)
    assert MASK in found
    assert "hush" not in found
    assert "argon2id" not in found
    if expected is not None:
        assert found == expected


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/v1/orders/4111 200",
        "Idempotency-Key: 550e8400-e29b-41d4-a716-446655440000",
        "the order of table 12 is 1234567890123 rupiah",
        "https://your-domain.com/health?format=health+json",
        "connection refused",
        "shipping=9&spin=3",
        "2026-11-24T20:53:44Z INFO worker booted: pid 12",
        "SELECT orders.id FROM orders WHERE orders.number = 7",
    ],
)
def test_what_is_no_secret_stays_as_it_was(text):
    assert mask(text) == text


@given(names, secrets, st.sampled_from(["{n}={s}", "?a=1&{n}={s}&b=2", '"{n}": "{s}"', "{n}: {s}"]))
def test_no_named_secret_passes_in_text(name, secret, form):
    assert secret not in mask(form.format(n=name, s=secret))


@given(secrets, st.sampled_from(["postgresql", "https", "smtp", "amqp", "redis"]))
def test_no_credentials_of_a_url_pass(secret, scheme):
    assert secret not in mask(f"cannot reach {scheme}://user:{secret}@host/path")


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=10,
)


@given(names, st.one_of(secrets, st.lists(secrets, min_size=1)), json_values, st.integers(0, 6))
def test_no_secret_passes_at_any_depth(name, secret, beside, depth):
    value = {name: secret, "beside": beside}
    for _ in range(depth):
        value = {"nested": [value]}
    found = json.dumps(mask_value(value))
    for one in [secret] if isinstance(secret, str) else secret:
        assert one not in found


@given(texts)
def test_masking_twice_changes_nothing_more(text):
    assert mask(mask(text)) == mask(text)


@given(json_values)
def test_json_stays_json(value):
    text = json.dumps({"password": value, "value": 1})
    if isinstance(value, str):
        assert json.loads(mask(text))["value"] == 1
    json.dumps(mask_value(value))


def test_a_structure_that_holds_itself_ends():
    value = {}
    value["self"] = value
    assert MASK in json.dumps(mask_value(value))


def with_check_digit(digits, off=0):
    """Digits with the one that Luhn's rule adds, or another (ISO/IEC 7812, annex B)."""
    total = sum(
        sum(map(int, str(int(digit) * (2 if place % 2 == 0 else 1))))
        for place, digit in enumerate(reversed(digits))
    )
    return digits + str((10 - total % 10 + off) % 10)


@given(st.text("0123456789", min_size=12, max_size=18), st.integers(1, 9))
def test_a_number_of_13_to_19_digits_is_a_card_when_its_check_digit_is_right(digits, off):
    card, other = with_check_digit(digits), with_check_digit(digits, off)
    assert mask(f"paid with {card}") == f"paid with {MASK}"
    assert mask(f"order {other} is cooked") == f"order {other} is cooked"


@pytest.mark.parametrize("length", [11, 19])
def test_a_number_that_is_too_short_or_too_long_for_a_card_stays(length):
    number = with_check_digit("4" * length)
    assert mask(f"number {number}") == f"number {number}"


@given(st.integers(0, 8), st.integers(0, 8))
def test_a_card_is_found_among_other_numbers_and_only_the_card_goes(before, after):
    card = "4111 1111 1111 1111"
    left, right = ["7"] * before, ["3"] * after
    text = " ".join([*left, card, *right])
    masked = mask(text)
    assert card not in masked
    assert MASK in masked


def test_both_cards_of_a_row_go():
    assert mask("4111 1111 1111 1111 and 5500000000000004") == f"{MASK} and {MASK}"


def nested(depth):
    value = "deep"
    for _ in range(depth):
        value = [value]
    return value


def test_a_structure_is_looked_into_fifty_deep():
    """A string is masked by itself at any depth; of what holds it the 51st is given up."""
    assert mask_value(nested(51)) == nested(51)
    assert MASK in json.dumps(mask_value(nested(52)))
    value, found = {"a": nested(50)}, nested(50)
    assert mask_value(value) == {"a": found}
    assert mask_value({"a": nested(51)}) != {"a": nested(51)}


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"password": None, "n": 1}, {"password": None, "n": 1}),
        ({"password": 0}, {"password": MASK}),
        ((True, 1.5, None), [True, 1.5, None]),
        ({"key"}, ["key"]),
        (frozenset(), []),
        (b"hush", "<4 bytes>"),
        (bytearray(3), "<3 bytes>"),
        (ValueError("password=hush"), f"password={MASK}"),
        ({"token=hush": 1}, {f"token={MASK}": MASK}),
        ({"?pin=hush": "x"}, {f"?pin={MASK}": MASK}),
    ],
)
def test_each_kind_of_value_becomes_json_without_its_secret(value, masked):
    assert mask_value(value) == masked


@pytest.mark.parametrize("length", [511, 512, 513, 5000])
def test_a_long_text_is_masked_like_a_short_one(length):
    end = " password=hush"
    text = "x" * (length - len(end)) + end
    assert mask(text) == text.replace("hush", MASK)


def test_a_line_of_exactly_the_length_allowed_stays_whole():
    assert one_line("x" * 200) == "x" * 200
    assert one_line("x" * 201) == "x" * 199 + "…"
    assert one_line("abcdef", 4) == "abc…"
    assert one_line("a\tb\x00c") == r"a b\x00c"
    assert one_line(" \n \n") == ""


def test_one_line_is_the_first_that_says_something_masked_and_cut():
    assert one_line("\n  \n password=hush\nmore") == f"password={MASK}"
    assert one_line("x" * 300).endswith("…")
    assert len(one_line("x" * 300)) == 200


@pytest.mark.parametrize(
    "part", ["x", "a.", "-", "]", "passw", "a.b-c ", "a:", "x=", "'", "eyJ.", "card 4 "]
)
def test_hostile_text_of_any_length_is_masked_before_the_tests_time_is_over(part):
    """Not in the square of its length, which for this one would be many minutes."""
    text = part * (60_000 // len(part))
    assert mask(f"{text} https://u:hush@h password=hush").count("hush") == 0


@pytest.mark.parametrize("name", ["x", "pin"])
def test_many_parts_of_a_form_that_never_begin_are_looked_through_once(name):
    text = mask(f"form-data; name={name}\n" * 20_000 + "\n\npassword=hush")
    assert "hush" not in text
