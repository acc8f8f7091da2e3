"""Text of strangers costs time in proportion to its length, whatever it is made of."""

import ast
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from re import _constants as kinds
from re import _parser as parser

import pytest

import posapp.backup.model.backup
import posapp.backup.postgres.dump_statements  # noqa: F401  their patterns are looked at below
from healthkit.testing.linear import find_slow, shapes_of
from posapp.http.problems import problem, unexpected
from posapp.observability.log_format import format_record
from posapp.observability.request_log import RequestLogMiddleware

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def request_line(text):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": text, "QUERY_STRING": text}
    environ["HTTP_USER_AGENT"] = text
    RequestLogMiddleware(lambda environ, start: start("200 OK", []) or [], unexpected)(
        environ, lambda *_: None
    ).close()


WORDS = [
    *("password=", "pass", "token ", "Cookie: ", "bearer ", "://", "http://a:b", "redis://a:b/"),
    *("eyJabcdefgh.", "1 ", "4111111111111111 ", "/health/beat/", "%3D", "%70", 'a:"', "x=1&"),
    *("[(", "\\", "\u202e", "\ud800", "{", "<", "'"),
]
FUNCTIONS = {
    "format_record": lambda text: format_record(NOW, "INFO", text, {"path": text}, OSError(text)),
    "the line of a request": request_line,
    "problem": lambda text: problem(422, text, [{"field": text, "message": text}]),
}


def shapes():
    ours = ("healthkit", "posapp")
    loaded = [module for name, module in sys.modules.items() if name.startswith(ours)]
    found = [v for module in loaded for v in vars(module).values() if isinstance(v, re.Pattern)]
    return sorted({*WORDS, *shapes_of(found)})


@pytest.mark.parametrize(
    "lengths",
    [(4_000, 16_000), pytest.param((8_000, 32_000), marks=pytest.mark.deep)],
    ids=["short", "long"],
)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_more_text_never_costs_much_more_than_its_part(name, lengths):
    assert find_slow(FUNCTIONS[name], shapes(), lengths=lengths) == []


# Every regular expression of the code


CONFIGURATION = "the operator's own configuration, a line or a value at a time"
OWN_NAMES = "no repetition without bound: what is put in are words of our own"
TO_LINE_END = "what follows takes anything: nothing is ever given back but the last blank"
REVIEWED = {
    (
        "healthkit/src/healthkit/_config/source.py",
        r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}",
    ): CONFIGURATION,
    (
        "healthkit/src/healthkit/_config/store_path.py",
        r"(sqlite(?:\+\w+)?:///)(?!/|file:|:memory:)(.+)",
    ): CONFIGURATION,
    ("healthkit/src/healthkit/fields.py", r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)"): CONFIGURATION,
    ("healthkit/src/healthkit/fields.py", "f'(?:{_DURATION.pattern})+'"): CONFIGURATION,
    (
        "plugins/ssl-expiry/src/healthkit_ssl_expiry/__init__.py",
        r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<name>[^\s:/@\[\]]+))(?::(?P<port>\d{1,5}))?",
    ): CONFIGURATION,
    (
        "posapp/backup/postgres/client.py",
        r"\d+(\.\d+)*",
    ): "what our own pg_dump says of its version",
    ("posapp/backup/postgres/client.py", r"(?:ERROR|FATAL|PANIC|error|fatal): *(.+)"): TO_LINE_END,
    ("posapp/runtime/postgres/initdb.py", r"(?:FATAL|PANIC|error|postgres): *(.+)"): TO_LINE_END,
    (
        "posapp/backup/postgres/databases.py",
        "re.escape(prefix) + '_restore_[0-9]{8}_[0-9]{6}'",
    ): "names of databases, 63 bytes at most",
    (
        "posapp/backup/postgres/databases.py",
        "re.escape(prefix) + '_before_[0-9]{8}_[0-9]{6}'",
    ): "names of databases, 63 bytes at most",
    ("plugins/database/src/healthkit_database/errors.py", "pattern"): OWN_NAMES,
}
"""Patterns with a repetition without bound that may give back what it took, and why they may; and
those that are put together."""

PUT_TOGETHER = {
    "healthkit/src/healthkit/_masking/forms.py",
    "healthkit/src/healthkit/_masking/named.py",
    "healthkit/src/healthkit/_masking/names.py",
    "healthkit/src/healthkit/masking.py",
    "posapp/backup/model/backup.py",
    "posapp/backup/postgres/dump_statements.py",
}
"""Files whose pattern is put together from words of their own, with no repetition without bound."""

UNBOUNDED = (kinds.MAX_REPEAT, kinds.MIN_REPEAT)
METHODS = {"compile", "match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer"}


def patterns():
    """(file, pattern as written, as parsed or None) of each regular expression in the code."""
    for folder in ("healthkit/src", "posapp", *sorted(map(str, ROOT.glob("plugins/*/src")))):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(call, ast.Call)
                    and isinstance(call.func, ast.Attribute)
                    and isinstance(call.func.value, ast.Name)
                    and call.func.value.id == "re"
                    and call.func.attr in METHODS
                ):
                    written = call.args[0]
                    verbose = any("VERBOSE" in ast.unparse(arg) for arg in call.args[1:])
                    parsed = None
                    if isinstance(written, ast.Constant):
                        parsed = parser.parse(written.value, re.VERBOSE if verbose else 0)
                        written = written.value
                        text = written if isinstance(written, str) else written.decode("latin-1")
                    else:
                        text = ast.unparse(written)
                    yield path.relative_to(ROOT).as_posix(), text, parsed


def gives_back(parsed, last=True):
    """Whether a repetition without bound stands before something else, or in another one."""
    items = list(parsed)
    for place, (kind, arg) in enumerate(items):
        ends = last and place == len(items) - 1
        if kind in UNBOUNDED:
            _, most, inner = arg
            single = len(inner) == 1 and inner[0][0] in (kinds.IN, kinds.ANY, kinds.LITERAL)
            if most is kinds.MAXREPEAT and not (ends and single):
                return True
            if gives_back(inner, last=False):
                return True
        for inner in inner_parts(kind, arg):
            if gives_back(inner, last=ends):
                return True
    return False


def inner_parts(kind, arg):
    if kind is kinds.SUBPATTERN:
        return [arg[3]]
    if kind is kinds.BRANCH:
        return arg[1]
    if kind in (kinds.ASSERT, kinds.ASSERT_NOT):
        return [arg[1]]
    if kind in (kinds.ATOMIC_GROUP,):
        return [arg]
    if kind is kinds.POSSESSIVE_REPEAT:
        return [arg[2]]
    return []


def test_no_pattern_repeats_without_bound_what_it_may_have_to_give_back():
    """`++`, `*+` and `{1,9}` do not. What else has a reason stands in REVIEWED with it."""
    risky = {
        (file, text) for file, text, parsed in patterns() if parsed is None or gives_back(parsed)
    }
    unreviewed = {(file, text) for file, text in risky if file not in PUT_TOGETHER}
    assert unreviewed == set(REVIEWED)


def test_the_patterns_that_are_put_together_are_without_such_a_repetition():
    loaded = {getattr(module, "__file__", None): module for module in [*sys.modules.values()]}
    for file in PUT_TOGETHER:
        compiled = [v for v in vars(loaded[str(ROOT / file)]).values() if isinstance(v, re.Pattern)]
        assert compiled, file
        risky = [one.pattern for one in compiled if gives_back(parser.parse(one.pattern))]
        assert set(risky) <= {text for _, text in REVIEWED}


@pytest.mark.parametrize("pattern", [r"(a+)+", r"\w+@", r"a*b", r"(?:x|y+)z", r"(?=.*b)c", r".*?x"])
def test_the_rule_of_patterns_knows_a_risky_one(pattern):
    assert gives_back(parser.parse(pattern))


@pytest.mark.parametrize("pattern", [r"a++b", r"[a-z]{1,64}://", r"\d+", r"eyJ(?:[\w-]*+\.)x"])
def test_the_rule_of_patterns_passes_what_is_linear(pattern):
    assert not gives_back(parser.parse(pattern))
