"""What the documents say is there: commands, files, tests, variables, examples."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

from healthkit.cli import main as healthkit
from posapp.cli import main as posapp
from posapp.features.seed import DEMO_LOGINS
from posapp.features.seed.menu import CATEGORIES
from posapp.settings import Settings
from tests.docs.documents import ROOT, anchors, blocks, codes, documents, links, prose, text_of

COMMANDS: dict[str, click.Command] = {"posapp": posapp, "healthkit": healthkit}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
OUR_COMMAND = re.compile(
    r"\s*(?:[A-Z_]+=\S+ )*(?:\.venv/bin/|\.ci/|tools/|(?:make|posapp|healthkit)\b)"
)
OURS = [document for document in documents() if document != "docs/runbook.md"]
"""The runbook's commands are not looked up but run, in tests of their own."""


def command_lines(document: str) -> list[list[str]]:
    """The commands that a document shows, in its text and in its blocks, as words."""
    shown = codes(prose(document))
    for block in blocks(document, "console"):
        shown += [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]
    parts = (part for line in shown for part in re.split(r"&&|;", line.partition(" #")[0]))
    ours = (part for part in parts if OUR_COMMAND.match(part) and "'" not in part)
    split = (shlex.split(part) for part in ours)
    without_variables = (
        [word for word in words if not re.match(r"[A-Z_]+=", word)] for words in split
    )
    return [words for words in without_variables if words]


def resolve(name: str, words: list[str]) -> str | None:
    """What of a command line does not exist, or None."""
    command = COMMANDS[name]
    known = {"--help", "-h", "--version"}
    for word in words:
        if word == "--":
            return None  # what follows is another program's
        known |= {option for parameter in command.params for option in parameter.opts}
        if word.startswith("-"):
            if word not in known:
                return f"{name} has no option {word}"
        elif isinstance(command, click.Group) and not word.isupper():
            context = click.Context(command, info_name=name)
            found = command.get_command(context, word)
            if found is None:
                return f"{name} has no command {word}"
            command, name = found, f"{name} {word}"
    return None


@pytest.mark.parametrize("document", OURS)
def test_every_command_that_a_document_shows_exists(document: str) -> None:
    wrong = []
    for name, *words in command_lines(document):
        tool = name.removeprefix(".venv/bin/")
        if tool == "make":
            wrong += [f"make {word}" for word in words if word not in TARGETS]
        elif tool in COMMANDS:
            wrong += [fault] if (fault := resolve(tool, words)) else []
        elif name.startswith((".ci/", "tools/")):
            wrong += [] if (ROOT / name).exists() else [name]
    assert wrong == []


def test_the_readme_shows_the_commands_that_everything_begins_with() -> None:
    shown = [" ".join(words) for words in command_lines("README.md")]
    assert {"make run", "make test", "posapp serve", "healthkit config check"} <= set(shown)


def test_a_command_that_does_not_exist_is_noticed() -> None:
    assert resolve("posapp", ["db", "upgrade"]) is None
    assert resolve("posapp", ["db", "downgrade"]) == "posapp db has no command downgrade"
    assert resolve("healthkit", ["check", "--jsno"]) == "healthkit check has no option --jsno"


@pytest.mark.parametrize("document", documents())
def test_every_link_leads_to_a_file_or_a_heading_that_is_there(document: str) -> None:
    folder, broken = (ROOT / document).parent, []
    for link in links(document):
        path, _, anchor = link.partition("#")
        if path.startswith(("http://", "https://")):
            continue
        target = (folder / path).resolve() if path else ROOT / document
        known = target.exists() and (not anchor or anchor in anchors(str(target)))
        broken += [] if known else [link]
    assert broken == []


def test_every_promise_names_a_test_that_there_is() -> None:
    named = re.findall(r"\[`(test_\w+)`\]\(([^)]+)\)", text_of("README.md"))
    missing = [test for test, file in named if f"def {test}(" not in (ROOT / file).read_text()]
    assert missing == []
    assert len(named) > 10


def test_every_file_that_a_decision_names_is_there() -> None:
    named = {
        code
        for document in documents()
        for code in codes(prose(document))
        if re.fullmatch(r"(tests|healthkit|posapp|plugins|docs|deploy|tools)/[\w./-]+\.\w+", code)
    }
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    assert "tests/faults/test_hang.py" in named


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_every_variable_is_one_that_is_read(document: str) -> None:
    known = {field.upper() for field in Settings.model_fields}
    known |= set(re.findall(r"\$\{(\w+)", (ROOT / "healthkit.toml").read_text()))
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z0-9]+)+)[`=]", prose(document)))
    named -= {"PR_SET_PDEATHSIG", "CAP_DAC_OVERRIDE", "PIPE_BUF"}  # the kernel's own
    assert named - known == set()


def test_the_demo_is_as_the_readme_says() -> None:
    readme = text_of("README.md")
    for login in DEMO_LOGINS:
        assert f"`{login.username}`" in readme
        assert login.password == f"{login.username}-demo"
    dishes = sum(len(dishes) for _, _, dishes in CATEGORIES)
    assert f"a menu of {dishes // 10 * 10} dishes" in readme


def python(number: int) -> str:
    return blocks("README.md", "python")[number]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_of_mounting_works_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "healthkit.toml").write_text('[service]\nname = "Example"\n')
    (tmp_path / "example_app.py").write_text(python(0))
    monkeypatch.chdir(tmp_path)
    app = load(tmp_path / "example_app.py").app
    try:
        for path in ("/health", "/livez", "/readyz", "/startupz", "/metrics"):
            assert app.test_client().get(path).status_code == 200
    finally:
        app.extensions["healthkit"].stop()


@pytest.mark.parametrize(("celsius", "code"), [("-21", 0), ("-7.5", 1)])
def test_the_example_of_a_check_works_as_it_stands(tmp_path: Path, celsius: str, code: int) -> None:
    (tmp_path / "sensor").write_text(celsius)
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "freezer.py").write_text(python(1))
    config = tmp_path / "healthkit.toml"
    config.write_text(
        '[service]\nname = "Kitchen"\n'
        f'[checks.freezer]\ntype = "freezer"\nsensor = "{tmp_path}/sensor"\n'
    )
    arguments = ["--plugins-dir", str(plugins), "--config", str(config), "check"]
    result = CliRunner().invoke(healthkit, arguments)
    assert result.exit_code == code, result.output
    assert "freezer" in result.output
