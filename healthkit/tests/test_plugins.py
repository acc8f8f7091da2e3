"""Each hook has a test that uses it: `test_every_hook_has_a_test` counts."""

import inspect
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from healthkit import Check, ConfigError, Outcome, _hookspecs, hookimpl
from healthkit._plugins import PluginManager
from healthkit.cli import main

HOOKS = [name for name in vars(_hookspecs) if name.startswith("healthkit_")]


class Good(Check):
    def run(self, context):
        return Outcome.healthy()


def offering(**hooks):
    """A plugin object made of functions."""
    return type("Plugin", (), {k: staticmethod(hookimpl(v)) for k, v in hooks.items()})()


def manager(*plugins):
    return PluginManager(plugins, entry_points=False)


def test_healthkit_check_types_of_several_plugins_are_put_together():
    found = manager(
        offering(healthkit_check_types=lambda: {"a": Good}),
        offering(healthkit_check_types=lambda: {"b": Good}),
    ).check_types()
    assert {"a", "b", "heartbeat"} <= set(found)


@pytest.mark.parametrize("answer", [None, 3, {"x": 3}, {"x": str}, [Good]])
def test_nonsense_from_a_plugin_is_named_and_harms_no_other(answer):
    plugins = manager(
        offering(healthkit_check_types=lambda: answer),
        offering(healthkit_check_types=lambda: {"good": Good}),
    )
    assert set(plugins.check_types()) == {"alerting", "heartbeat", "pushed", "good"}
    assert len(plugins.failures) == 1


def test_a_plugin_that_raises_is_named_and_harms_no_other():
    def boom():
        raise RuntimeError("password=sesame")

    plugins = manager(
        offering(healthkit_check_types=boom),
        offering(healthkit_check_types=lambda: {"good": Good}),
    )
    assert "good" in plugins.check_types()
    (reason,) = plugins.failures.values()
    assert "RuntimeError" in reason
    assert "sesame" not in reason


def test_a_hook_with_arguments_that_do_not_exist_is_refused_by_name():
    plugins = manager(offering(healthkit_event=lambda nonsense: None))
    assert "nonsense" in next(iter(plugins.failures.values()))


def test_healthkit_channel_types_and_healthkit_checks_are_collected():
    plugins = manager(
        offering(healthkit_channel_types=lambda: [str], healthkit_checks=lambda: [1]),
        offering(healthkit_channel_types=lambda: [int]),
    )
    assert plugins.call_all("healthkit_channel_types") == [[str], [int]]
    assert plugins.call_all("healthkit_checks") == [[1]]


def test_healthkit_event_and_healthkit_message_get_what_they_ask_for():
    seen = []
    plugins = manager(
        offering(
            healthkit_event=lambda event: seen.append(event),
            healthkit_message=lambda event, language: (event, language),
        )
    )
    plugins.call_all("healthkit_event", event="e")
    assert seen == ["e"]
    assert plugins.call_all("healthkit_message", event="e", language="id") == [("e", "id")]


def test_a_folder_of_plugins_is_loaded_and_a_broken_file_in_it_is_named(tmp_path):
    (tmp_path / "good.py").write_text(
        "from healthkit import Check, Outcome, hookimpl\n"
        "class F(Check):\n    def run(self, context): return Outcome.healthy()\n"
        "@hookimpl\ndef healthkit_check_types(): return {'f': F}\n"
    )
    (tmp_path / "broken.py").write_text("import nonsense_that_is_not_there")
    plugins = PluginManager(directory=tmp_path, entry_points=False)
    assert "f" in plugins.check_types()
    assert "nonsense_that_is_not_there" in plugins.failures["broken"]
    assert {info.name for info in plugins.list_plugins()} >= {"builtin", "good", "broken"}


def test_a_plugins_folder_that_is_not_there_is_a_mistake_of_the_configuration(tmp_path):
    with pytest.raises(ConfigError, match="not a directory"):
        PluginManager(directory=tmp_path / "none")


def test_healthkit_commands_join_the_command_line(tmp_path):
    (tmp_path / "hello.py").write_text(
        "import click\nfrom healthkit import hookimpl\n"
        "@click.command()\ndef hello(): click.echo('hello from a plugin')\n"
        "@hookimpl\ndef healthkit_commands(): return [hello]\n"
    )
    result = CliRunner().invoke(main, ["--plugins-dir", str(tmp_path), "hello"])
    assert result.output == "hello from a plugin\n"
    assert isinstance(main, click.Group)


@pytest.mark.deep
def test_healthkit_logging_takes_over_the_log_of_the_watcher(tmp_path):
    (tmp_path / "shout.py").write_text(
        "import logging, sys\nfrom healthkit import hookimpl\n"
        "class Shout(logging.Handler):\n"
        "    def emit(self, record): print(record.getMessage().upper(), flush=True)\n"
        "@hookimpl\ndef healthkit_logging():\n"
        "    ours = logging.getLogger('healthkit')\n"
        "    ours.handlers, ours.propagate, ours.level = [Shout()], False, 20\n"
        "    return True\n"
    )
    config = tmp_path / "healthkit.toml"
    config.write_text(f'[service]\nname = "Test"\n[store]\nurl = "sqlite:///{tmp_path}/store.db"\n')
    command = [sys.executable, "-m", "healthkit", "--plugins-dir", str(tmp_path)]
    watcher = subprocess.Popen(
        [*command, "watch", "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert watcher.stdout.readline() == "WATCHING 0 CHECKS\n"
    finally:
        watcher.terminate()
        _, errors = watcher.communicate(timeout=60)
    assert errors == ""


def test_healthkit_act_reaches_each_plugin_past_one_that_raises():
    told = []

    def boom(act):
        raise RuntimeError(act)

    plugins = manager(
        offering(healthkit_act=boom), offering(healthkit_act=lambda act: told.append(act))
    )
    plugins.call_all("healthkit_act", act="an act")
    assert told == ["an act"]
    assert len(plugins.failures) == 1


def test_every_hook_has_a_test():
    tests = inspect.getsource(inspect.getmodule(test_every_hook_has_a_test))
    assert [hook for hook in HOOKS if f"{hook}" not in tests] == []


def test_every_hook_is_in_the_documentation():
    page = (Path(__file__).parents[1] / "docs" / "reference" / "hooks.md").read_text()
    assert [hook for hook in HOOKS if hook not in page] == []
