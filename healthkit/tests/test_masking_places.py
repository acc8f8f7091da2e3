"""A secret under a known name is masked wherever it stands; no line for people is turned over."""

import json
import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthkit.cli._alerts import MaskedFormatter
from healthkit.masking import MASK, escape_controls, mask, mask_value, one_line, shorten

from .drawn_secrets import secrets

KEYS = [
    *("password", "passwd", "new_password", "passphrase", "pwd", "client_secret", "refreshToken"),
    *("X-Api-Key", "access_key", "Authorization", "cookie", "csrf", "session_id", "JWT_SECRET"),
    *("pass", "PASS", "userPass", "sig", "pin", "user_pin", "pinCode", "OTP", "otp_code", "cvv"),
    *("kata_sandi", "kataSandi", "sandi", "db-pass", "SENTRY_DSN", "credentials", "private-key"),
]


def percent_encoded(text, every=1):
    return "".join(f"%{ord(c):02x}" if i % every == 0 else c for i, c in enumerate(text))


def json_escaped(text):
    return "".join(f"\\u{ord(c):04x}" if i % 2 else c for i, c in enumerate(text))


ENCODINGS = [str, str.upper, percent_encoded, lambda key: percent_encoded(key, 3)]


def form(key, secret, lines="\r\n"):
    """The body of a form, as browsers and curl send it."""
    return lines.join(
        [
            "--b1f0",
            'Content-Disposition: form-data; name="note"',
            "",
            "no garlic",
            "--b1f0",
            f'Content-Disposition: form-data; name="{key}"; filename="a.txt"',
            "Content-Type: text/plain",
            "",
            f"a {secret}",
            secret,
            "--b1f0--",
            "",
        ]
    )


FORMS = {
    "form": form,
    "form with bare line ends": lambda key, secret: form(key, secret, "\n"),
    "form in json": lambda key, secret: json.dumps({"body": form(key, secret)}),
    "form in json in json": lambda key, secret: json.dumps([json.dumps([form(key, secret)])]),
    "form as bytes": lambda key, secret: repr(form(key, secret).encode()),
    "form cut short": lambda key, secret: form(key, secret)[:-14],
    "form without quotes": lambda key, secret: form(key, secret).replace(f'"{key}"', key),
    "query": lambda key, secret: f"GET /api/v1/orders?a=1&{key}={secret}&b=2 HTTP/1.1",
    "first of a query": lambda key, secret: f"https://example.com/a?{key}={secret}#top",
    "encoded query": lambda key, secret: f"next=%2Fa%3Fb%3D1%26{key}%3D{secret}",
    "header": lambda key, secret: f"{key}: {secret}",
    "bearer": lambda key, secret: f"{key}: Bearer {secret}",
    "repr": lambda key, secret: repr({"a": [{key: secret}]}),
    "repr of bytes": lambda key, secret: repr({key: secret.encode()}),
    "repr of a tuple": lambda key, secret: repr({key: ("x", [secret])}),
    "json": lambda key, secret: json.dumps({"a": {key: secret}, "b": 1}),
    "pretty json": lambda key, secret: json.dumps({key: secret}, indent=2),
    "json list": lambda key, secret: json.dumps({key: ["x", secret], "b": 1}),
    "json object": lambda key, secret: json.dumps({key: {"x": {"y": [1, secret]}}, "b": 1}),
    "json in json": lambda key, secret: json.dumps({"body": json.dumps({key: secret})}),
    "list in json in json in json": lambda key, secret: json.dumps(
        [json.dumps([json.dumps({key: ["}", 'a"b', secret]})])]
    ),
    "escaped json key": lambda key, secret: f'{{"{json_escaped(key)}": "{secret}"}}',
    "after a quote": lambda key, secret: json.dumps({key: f'it\'s "{secret}" \\'}),
    "cut json": lambda key, secret: json.dumps({key: f"{secret} and more"})[:-3],
    "connection string": lambda key, secret: f"host=db {key}={secret} dbname=pos",
    "equation": lambda key, secret: f'if {key} == "{secret}": pass',
}


@given(st.sampled_from(KEYS), secrets, st.sampled_from(ENCODINGS), st.sampled_from(sorted(FORMS)))
def test_a_secret_under_a_known_name_shows_in_no_form_and_no_encoding(key, secret, encode, form):
    text = FORMS[form](encode(key), secret)
    assert secret not in mask(text)
    assert secret not in json.dumps(mask_value({"a": [(text, {"b": text})]}))
    assert secret not in one_line(text, 10_000)
    assert mask(mask(text)) == mask(text)


NESTINGS = [
    lambda key, value: {key: value},
    lambda key, value: {key: [value]},
    lambda key, value: {key: {"a": (value, 1)}},
    lambda key, value: {"a": [{"b": ({key: value},)}]},
    lambda key, value: [(key, value), ("Accept", "text/html")],
    lambda key, value: {"headers": [[key, value]]},
    lambda key, value: {"text": json.dumps({key: [value]})},
    lambda key, value: {key.encode(): value},
]


@given(
    st.sampled_from(KEYS), secrets, st.sampled_from(ENCODINGS), st.integers(0, len(NESTINGS) - 1)
)
def test_a_secret_under_a_known_name_shows_in_no_nesting(key, secret, encode, nesting):
    assert secret not in json.dumps(mask_value(NESTINGS[nesting](encode(key), secret)))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("?pass%77ord=hush", f"?pass%77ord={MASK}"),
        ("?%70assword=hush", f"?%70assword={MASK}"),
        ("?%2570assword=hush", f"?%2570assword={MASK}"),
        ("?password=it's,a;b(c)&x=1", f"?password={MASK}&x=1"),
        ('{"password": ["x", {"y": "]"}], "n": 1}', f'{{"password": "{MASK}", "n": 1}}'),
        ('{"pin": 1234, "n": 1}', f'{{"pin": "{MASK}", "n": 1}}'),
        (r'{"a": "{\"pin\": \"12\"}", "n": 1}', rf'{{"a": "{{\"pin\": \"{MASK}\"}}", "n": 1}}'),
        ("postgresql://pos:p@ss@word@db:5432/pos", f"postgresql://{MASK}@db:5432/pos"),
        ("postgresql://pos:p/a'ss@db:5432/pos", f"postgresql://{MASK}@db:5432/pos"),
        ("https://u:p/a@ss@example.com/x", f"https://{MASK}@example.com/x"),
        ("smtp://me:a,b@c@mail.example.com:587", f"smtp://{MASK}"),
    ],
)
def test_the_harder_forms_of_a_secret_are_masked_and_nothing_else(text, masked):
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "passenger=4&design=oak&spinach=2&shipping=9&compass=n&bypass=1&signal=3&option=x",
        "passengerName: Dewi, sandiwara: x, Designer: y, pinned: 3, OPINION: z, significant=1",
        "https://example.com/a/@me?mail=a%40b.example",
        "http://[::1]:8080/x@y and https://example.com:8443/x@y",
        "at 10:30 {a: 1} [b=2]",
    ],
)
def test_words_that_only_contain_a_short_name_stay(text):
    assert mask(text) == text


def test_a_structure_that_holds_itself_often_ends_soon():
    value = {}
    value |= {str(number): value for number in range(10)}
    assert MASK in json.dumps(mask_value(value))


HOSTILE = [
    *("password", "pin", "=", ":", '"', "'", "\\", "[", "]", "{", "}", "://", "@", "&", "?", " "),
    *("a", "%3D", "bearer ", "eyJabcdefgh", ".b", "\n", ",", "cookie", "redis", "4111111111111111"),
]


@given(st.lists(st.sampled_from(HOSTILE)))
def test_masking_hostile_text_twice_changes_nothing_more(parts):
    text = "".join(parts)
    assert mask(mask(text)) == mask(text)


@given(st.text())
def test_no_line_for_people_has_a_control_character(text):
    assert not set(one_line(text)) & {*map(chr, range(32)), "\x7f", "\x9b", "\u202e", "\u2066"}


def test_control_characters_and_marks_of_direction_are_shown():
    assert one_line("a\x1b[31mb\u202ec\x9bd") == r"a\x1b[31mb\u202ec\x9bd"
    assert escape_controls("a\r\nb\u2028c\ud800") == r"a\r\nb\u2028c\ud800"
    assert escape_controls("Sate Ayam é 焼き\u3000鳥") == "Sate Ayam é 焼き\u3000鳥"


COOK, FLAG, THUMB, ACCENT = "👩🏽‍🍳", "🇮🇩", "👍🏿", "e\u0301\u0323"


@pytest.mark.parametrize("character", [COOK, FLAG, THUMB, ACCENT, "❤️", "1️⃣", "🏳️‍🌈"])
@given(before=st.integers(0, 12), after=st.integers(1, 12), limit=st.integers(1, 60))
def test_no_character_as_people_see_it_is_cut_apart(character, before, after, limit):
    text = "x" * before + character * after
    short = shorten(text, limit)
    assert len(short) <= limit
    kept = short.removesuffix("…")
    assert short == text or short.endswith("…")
    assert text.startswith(kept)
    assert (len(kept) - before) % len(character) == 0 or len(kept) < before


def test_what_joins_an_emoji_is_kept_and_alone_it_is_shown():
    assert one_line(f"the cook {COOK} says") == f"the cook {COOK} says"
    assert one_line("pass\u200dword") == "pass\\u200dword"


@given(st.text(max_size=200), st.integers(1, 80))
def test_a_text_is_cut_to_its_limit_whatever_it_is_made_of(text, limit):
    short = shorten(text, limit)
    assert len(short) <= limit
    assert short == text or text.startswith(short[:-1])


def test_the_watchers_own_log_masks_tracebacks_and_escapes_what_controls_a_terminal():
    form = MaskedFormatter("%(levelname)s %(message)s")
    try:
        raise ValueError("postgresql://pos:hunter2@db/pos \x1b[2J password=hunter3 \u202e")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "it %s", ("failed",), sys.exc_info())
    text = form.format(record)
    assert text.startswith("ERROR it failed\nTraceback (most recent call last):\n")
    assert "ValueError: postgresql://***MASKED***@db/pos" in text
    for hidden in ("hunter2", "hunter3", "\x1b", "\u202e"):
        assert hidden not in text
    long = logging.LogRecord("x", logging.INFO, "f", 1, "y" * 1_000_000, (), None)
    assert len(form.format(long)) < 25_000
