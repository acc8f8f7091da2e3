"""The reference of healthkit.toml is what the types say, and leaves no key without a meaning."""

import re
from datetime import timedelta
from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from healthkit import load_settings
from healthkit.fields import Percent, PositiveDuration, Size
from tools import configuration

MODELS = {**configuration.TABLES, **configuration.check_types()}


def test_the_reference_is_what_the_types_say():
    assert configuration.WRITTEN.read_text() == configuration.reference(), (
        "write it again: python -m tools.configuration"
    )


@pytest.mark.parametrize("table", MODELS)
def test_no_key_is_without_a_meaning_and_without_a_form(table):
    for name, field, said in configuration.keys(MODELS[table]):
        assert said.strip().endswith("."), f"{name} needs a docstring"
        assert configuration.describe(field.annotation, field.metadata), name


def test_every_plugin_of_the_repository_is_in_it():
    folders = {one.parent.parent.name for one in configuration.ROOT.glob("plugins/*/src/*/")}
    channels = {"fonnte"}
    assert {name.replace("_", "-") for name in folders} - channels <= set(MODELS)


@pytest.mark.parametrize("table", ["alerts", "watch"])
def test_a_default_that_is_shown_is_the_default_when_it_is_written(table):
    rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", section(table), re.M)
    assert len(rows) >= 2
    written = {key: int(value) if value.isdecimal() else value for key, value in rows}
    service = {"service": {"name": "x"}}
    found = load_settings({**service, table: written})
    assert getattr(found, table) == getattr(load_settings(service), table)


def section(table):
    return configuration.reference().split(f"## `[{table}]`\n")[1].split("\n## ")[0]


class Odd(BaseModel):
    """A table."""

    pause: PositiveDuration | None = None
    """How long."""
    share: Percent = 50.0
    size: Size = 500
    counts: tuple[Annotated[int, Field(ge=1, lt=9)], ...] = (1, 2)
    wait: timedelta = timedelta(milliseconds=1500)


def test_the_form_bounds_and_default_of_a_key_are_read_off_its_type():
    found = {
        name: (
            configuration.describe(field.annotation, field.metadata),
            configuration.default(field),
        )
        for name, field in Odd.model_fields.items()
    }
    assert found == {
        "pause": ("duration, more than `0s`", "none"),
        "share": ("share", "`50%`"),
        "size": ("size", "`500`"),
        "counts": ("list: whole number, at least 1, less than 9", "`1`, `2`"),
        "wait": ("", "`1500ms`"),
    }


@pytest.mark.deep
def test_an_old_reference_is_told_in_one_line(tmp_path, monkeypatch, capsys):
    old = tmp_path / "healthkit" / "CONFIGURATION.md"
    old.parent.mkdir()
    old.write_text("# Every key\n")
    monkeypatch.setattr(configuration, "WRITTEN", old)
    monkeypatch.setattr(configuration, "ROOT", tmp_path)
    assert configuration.main(["--check"]) == 1
    assert capsys.readouterr().out.count("\n") == 1
    assert configuration.main([]) == 0
    assert configuration.main(["--check"]) == 0
