"""Text of strangers costs time in proportion to its length, whatever it is made of."""

import re
import sys

import pytest

from healthkit import Outcome, masking
from healthkit._alerts import messages
from healthkit._outcomes import make_whole, of_exception
from healthkit.testing.linear import find_slow, shapes_of

WORDS = [
    *("password", "pass", "token ", "Cookie: ", "authorization", "basic ", "bearer ", "digest "),
    *("://", "a://", "http://a:b", "redis://a:b/", "a@", "https://discord.com/api/webhooks"),
    *("eyJ-", "-eyJabcdefgh", "eyJabcdefgh.", "1 ", "1-", "4111111111111111 ", "/health/beat/"),
    *("%3D", "%25", "%70", "\\u003d", "\\u0070", 'a:"', '"a":', '"password":[', "password=["),
    *('\\"', 'password=\\\\"', "token=token ", "password=bearer ", "x=1&", "?pin=", "a: ", "[("),
    *("--a\r\nContent-Disposition: form-data; name=", "🇮🇩", "👩‍", "e\u0301"),
]
ENDINGS = ("", "=", ":", '"', "@", "password=x", "://", ".a.b", "!", "\n", "1", "]", "\\")


def shapes():
    ours = [module for name, module in sys.modules.items() if name.startswith("healthkit.")]
    found = [v for module in ours for v in vars(module).values() if isinstance(v, re.Pattern)]
    return sorted({*WORDS, *shapes_of(found)})


FUNCTIONS = {
    "mask_value": lambda text: masking.mask_value({text: [text], "a": (text, text)}),
    "one_line": masking.one_line,
    "secret_name": masking.secret_name,
    "escape_controls": masking.escape_controls,
    "shorten": lambda text: masking.shorten(text, len(text) - 1),
    "an outcome": lambda text: make_whole(Outcome.unhealthy(text, value=text)),
    "an exception": lambda text: of_exception(ValueError(text)),
    "a message": lambda text: messages.cut(text, len(text) - 1),
    **{
        f"a message in {kind}": lambda text, kind=kind: messages.format_for_channel(
            messages.Message(text, (text,)), kind, len(text), 100
        )
        for kind in ("text", "html", "markdown")
    },
}


@pytest.mark.parametrize(
    "lengths",
    [(2_000, 8_000), pytest.param((8_000, 32_000), marks=pytest.mark.deep)],
    ids=["short", "long"],
)
def test_masking_a_longer_text_costs_no_more_than_its_part(lengths):
    assert find_slow(masking.mask, shapes(), ENDINGS, lengths) == []


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    "lengths",
    [(2_000, 8_000), pytest.param((8_000, 32_000), marks=pytest.mark.deep)],
    ids=["short", "long"],
)
def test_more_text_costs_no_more_than_its_part(name, lengths):
    assert find_slow(FUNCTIONS[name], shapes(), lengths=lengths) == []


def test_the_measure_notices_a_pattern_that_backtracks():
    quadratic = re.compile(r"\w+@").search
    assert len(find_slow(quadratic, ["a", "b@"], lengths=(1_000, 8_000))) == 1


def test_the_shapes_are_those_of_the_patterns():
    assert set(shapes()) >= {"eyJ-", "/health/beat/", "secret", "7", " ", "\\", "%25"}
