"""What is wrong with a configuration is told by the key where it stands."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, field_validator

from healthkit import ConfigError, Outcome, load_settings
from healthkit._config.checks import build, configure_check, declared_keys
from healthkit._config.references import find_cycle, reference_problems
from healthkit._config.service_tables import CheckSettings
from healthkit._config.source import expand, line_numbers, line_of
from healthkit._config.table import ConfigTable
from healthkit._config.validation import validate
from healthkit.fields import Percent


def expanded(value, **environ):
    problems = []
    found = expand(value, environ, problems)
    return found, [(problem.key, problem.message) for problem in problems]


def test_a_variable_is_replaced_wherever_it_stands():
    value = {"a": "x${N}y${N}", "b": [{"c": "${N}"}, 5], "d": True}
    assert expanded(value, N="1") == ({"a": "x1y1", "b": [{"c": "1"}, 5], "d": True}, [])


@pytest.mark.parametrize(("environ", "text"), [({}, "d"), ({"N": ""}, "d"), ({"N": "v"}, "v")])
def test_a_default_is_for_a_variable_that_is_not_set_or_empty(environ, text):
    assert expanded("${N:-d}", **environ) == (text, [])
    assert expanded("${GONE:-}", **environ) == ("", [])


def test_a_variable_that_is_not_set_is_told_by_its_key_and_left_as_it_is():
    value = {"a": "${GONE}", "b": {"c": "x ${GONE}"}, "d": ["", "${GONE}"]}
    found, problems = expanded(value)
    assert found == value
    assert [key for key, _ in problems] == ["a", "b.c", "d.1"]
    assert all("GONE is not set" in message for _, message in problems)


def test_a_variable_that_is_no_text_is_told_by_its_key():
    found, problems = expanded({"a": "x ${N}"}, N="\udcff")
    assert (found, problems) == (
        {"a": "x ${N}"},
        [("a", "the environment variable N is not UTF-8 text")],
    )


def test_a_key_is_found_by_its_line_or_by_the_table_around_it():
    lines = line_numbers('[service]\nname = "x"\n\n[checks."a b"]\n  type = "disk"\n[[list]]\n')
    assert line_of("service.name", lines) == 2
    assert line_of("service.name.deeper", lines) == 2
    assert line_of("service.gone", lines) == 1
    assert line_of("checks", lines) == 4
    assert line_of("list", lines) == 6
    assert line_of("gone", lines) == 0


def test_a_line_within_a_text_or_a_list_is_neither_a_table_nor_a_key():
    text = '[m]\nt = """\n[checks.a]\nb = 1\n"""\nlist = [\n  ["x"],\n]\n[checks.a]\nb = 2\n'
    lines = line_numbers(text)
    assert [line_of(key, lines) for key in ("m.t", "m.list", "checks.a", "checks.a.b")] == [
        *(2, 6, 9, 10)
    ]


@pytest.mark.parametrize(
    "line", ["[" + " " * 50_000 + "x", "[" * 50_000, "a" * 50_000, "." * 50_000]
)
def test_lines_are_found_in_time_in_proportion_to_a_file(line):
    began = time.process_time()
    line_numbers(f"[a]\n{line}\n{line}=\n")
    assert time.process_time() - began < 0.5


def test_a_cycle_is_told_once_from_its_first_name_on():
    edges = {"start": ("a",), "a": ("b",), "b": ("c",), "c": ("a",)}
    assert find_cycle(edges) == ("a", "b", "c")
    links = {
        "checks": {name: {"depends_on": further} for name, further in edges.items()},
        "channels": {},
        "routes": {},
        "maintenance": {"a": {"checks": ("a",)}},  # named like its check, which is no cycle
        "slo": {"a": {"checks": ("a", "b")}, "b": {"checks": ("a",)}},
    }
    (problem,) = reference_problems(links, edges, ())
    assert problem.key == "checks.a.depends_on"
    assert problem.message == "goes round in a cycle: a → b → c → a"


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef")).map(tuple)))
def test_what_is_called_a_cycle_is_one_and_a_graph_that_only_goes_on_has_none(edges):
    cycle = find_cycle(edges)
    for name, following in zip(cycle, (*cycle[1:], *cycle[:1]), strict=True):
        assert following in edges[name]
    onwards = {name: tuple(o for o in others if o > name) for name, others in edges.items()}
    assert find_cycle(onwards) == ()


class Inner(BaseModel, extra="forbid"):
    size: int


class Outer(BaseModel, extra="forbid"):
    inner: Inner


def test_an_unknown_key_deep_in_a_table_is_not_answered_with_the_name_of_its_table():
    problems = []
    assert validate(Outer, {"inner": {"size": 1, "sizes": 2}}, "checks.x", problems) is None
    (problem,) = problems
    assert problem.key == "checks.x.inner.sizes"
    assert "did you mean" not in problem.message
    validate(Outer, {"inne": 1}, "checks.x", problems)
    message = next(each.message for each in problems if each.key == "checks.x.inne")
    assert "did you mean" in message
    assert "inner" in message


def test_true_is_a_number_in_no_table():
    numbers = [
        (table, name)
        for table in ConfigTable.__subclasses__()
        for name, field in table.model_fields.items()
        if field.annotation in (int, float, int | None, float | None)
    ]
    assert (CheckSettings, "fail_after") in numbers
    for table, name in numbers:
        for value in (True, False):
            problems = []
            assert validate(table, {name: value}, "here", problems) is None, (table, name)
            assert f"here.{name}" in [one.key for one in problems], (table, name)


class Measured(BaseModel, extra="forbid"):
    limits: list[int] = []
    either: bool | int = 0
    anything: Any = None
    share: Percent = 0.0


def test_true_is_true_where_it_may_be_and_hides_no_other_mistake():
    problems = []
    fine = {"either": True, "anything": True, "limits": [1, "2"]}
    assert validate(Measured, fine, "x", problems).limits == [1, 2]
    assert validate(Measured, {"limits": [1, True], "share": True}, "x", problems) is None
    assert [(one.key, one.message.partition(";")[0]) for one in problems] == [
        ("x.limits", "must be a number"),
        ("x.share", "True is not a share"),
    ]


# Checks that are plain classes


class Plain:
    """A check whose settings are its keywords, one annotated in quotes, one not at all."""

    def __init__(self, *rest: int, size: int, width: "int" = 3, note=None, **more: object):
        self.given = (size, width, note)

    def run(self, context):
        return Outcome.healthy()


def built(**own):
    problems = []
    check = build(Plain, own, "checks.x", problems)
    return getattr(check, "given", None), [problem.key for problem in problems]


def test_a_plain_class_is_validated_by_its_signature():
    assert built(size=1) == ((1, 3, None), [])
    assert built(size="2", width="4", note=["as it is"]) == ((2, 4, ["as it is"]), [])
    assert built() == (None, ["checks.x.size"])
    assert built(size="big", width="wide") == (None, ["checks.x.size", "checks.x.width"])
    assert built(size=1, rest=2, more=3) == (None, ["checks.x.rest", "checks.x.more"])


Most = int
"""An annotation that only this module knows."""


class InQuotes:
    def __init__(self, most: "Most"):
        self.most = most


def test_an_annotation_in_quotes_means_what_it_means_where_it_is_written():
    assert build(InQuotes, {"most": "4"}, "checks.x", []).most == 4


class Raising(BaseModel):
    value: int = 0

    @field_validator("value")
    @classmethod
    def _no(cls, value):
        raise ZeroDivisionError("by a plugin")


class NoSignature:
    __signature__ = "none"

    def run(self, context):
        return Outcome.healthy()

    def target(self):
        raise ZeroDivisionError("by a plugin")


def test_whatever_a_plugin_raises_while_it_is_configured_is_a_mistake_by_its_key(caplog):
    problems = []
    assert validate(Raising, {"value": 1}, "checks.x", problems) is None
    assert [(one.key, one.message) for one in problems] == [
        ("checks.x", "ZeroDivisionError: by a plugin")
    ]
    assert declared_keys(NoSignature) == frozenset()
    assert configure_check("x", NoSignature()).info.target is None
    assert "check x has no target: ZeroDivisionError: by a plugin" in caplog.text


def test_a_check_made_in_python_is_refused_for_its_name_as_much_as_for_its_settings():
    assert configure_check("disk", Plain(size=1), interval="10s").info.name == "disk"
    for name, settings, key in (
        ("api", {}, "checks.api"),
        ("no spaces", {}, "checks.no spaces"),
        ("disk", {"interval": "soon"}, "checks.disk.interval"),
    ):
        with pytest.raises(ConfigError) as refused:
            configure_check(name, Plain(size=1), **settings)
        assert [problem.key for problem in refused.value.problems] == [key]
    with pytest.raises(ConfigError, match="it has no method run"):
        configure_check("disk", object())


FORGED = ["a\u202eb", "a\x07", "a\nb", "\x1b[2J", "\u2066a"]


@pytest.mark.parametrize("text", FORGED)
def test_a_name_for_people_stands_on_one_line_and_turns_nothing_over(text):
    document = {
        "service": {"name": text, "version": text, "environment": text},
        "checks": {"a": {"type": "disk", "path": "/", "label": text, "group": text}},
        "slo": {"s": {"checks": ["a"], "target": "99%", "label": text}},
    }
    with pytest.raises(ConfigError) as refused:
        load_settings(document)
    keys = {"service.name", "service.version", "service.environment"}
    keys |= {"checks.a.label", "checks.a.group", "slo.s.label"}
    said = {one.key: one.message for one in refused.value.problems}
    assert keys <= set(said)
    assert all("on one line" in said[key] for key in keys)


SECRET = "hunter2-hunter2"


@pytest.mark.parametrize(
    "tables",
    [
        {"routes": {"critical": {"channels": ["ADDRESS"]}}},
        {"routes": {"high": {"escalate_after": "1h", "escalate_to": ["ADDRESS"]}}},
        {"channels": {"a": {"url": "log://", "fallback": "ADDRESS"}}},
        {"channels": {"ADDRESS": {"url": "log://", "fallback": "b"}}},
        {"checks": {"a": {"type": "ADDRESS"}}},
        {"checks": {"a": {"type": "heartbeat", "every": "1h", "depends_on": ["ADDRESS"]}}},
        {"maintenance": {"a": {"start": "08:00", "duration": "1h", "checks": ["ADDRESS"]}}},
        {"slo": {"a": {"target": "99%", "checks": ["ADDRESS"]}}},
        {"store": {"ADDRESS": ""}},
        {"groups": {"ADDRESS": {}}},
        {"ADDRESS": {}},
    ],
)
@pytest.mark.parametrize("more", ["", "x" * 10_000])
def test_an_address_where_a_name_is_expected_keeps_its_secret_and_its_length(tables, more):
    address = f"postgresql://pos:{SECRET}@db/{more}"
    written = json.dumps({"service": {"name": "Till"}, **tables}).replace("ADDRESS", address)
    with pytest.raises(ConfigError) as refused:
        load_settings(json.loads(written))
    for line in (*refused.value.lines(), str(refused.value)):
        assert SECRET not in line
        assert len(line) < 2_000


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"sqlite://pos:{SECRET}@db/x", "store.url: SQLite has no host"),
        (f"sqlite:///x?timeout={SECRET}", "store.url: a parameter has a value that SQLite"),
        (f"sqlite:///x?check_same_thread={SECRET}", "store.url: a parameter has a value"),
        ("sqlite:///x?timeout=1&timeout=2", "store.url: a parameter has a value that SQLite"),
    ],
)
def test_an_address_that_sqlite_cannot_open_is_a_mistake_and_no_traceback_later(address, said):
    with pytest.raises(ConfigError, match=said) as refused:
        load_settings({"service": {"name": "Till"}, "store": {"url": address}})
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///a b", "sqlite:///x?timeout=2"])
def test_an_address_that_sqlite_can_open_is_taken(address):
    store = load_settings({"service": {"name": "Till"}, "store": {"url": address}}).store
    assert store.url.get_secret_value() == address
