"""`healthkit` and the commands of plugins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from healthkit._plugins import PluginManager
from healthkit.cli._options import config_options
from healthkit.cli._output import HandledErrors, end_with

_MODULES = {
    "_checks": ("check", "config", "init", "plugins"),
    "_alerts": ("ack", "alert", "incidents", "watch"),
    "_jobs": ("beat", "run"),
    "_serve": ("serve",),
    "_silences": ("silence",),
    "_notices": ("incident",),
    "_status": ("status",),
    "_new_plugin": ("new-plugin",),
}
"""The module of each command, loaded when that one is asked for."""


_FOR_NAGIOS = "healthkit.nagios"


@contextmanager
def _mistakes_shown_to(nagios: bool) -> Iterator[None]:
    """Keeps the exit code 2 of wrong options from Nagios, to which it is CRITICAL."""
    try:
        yield
    except click.UsageError as error:
        if not nagios:
            raise
        from healthkit.cli._forms import nagios_mistake
        from healthkit.masking import one_line

        code, output = nagios_mistake([one_line(error.format_message(), 1_000)])
        end_with(code, output)


class _WithPluginCommands(HandledErrors):
    """Looks for commands in plugins only when none of its own has the name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = args[: args.index("--")] if "--" in args else args  # what follows is a job's
        ctx.meta[_FOR_NAGIOS] = "--nagios" in own
        with _mistakes_shown_to(nagios=ctx.meta[_FOR_NAGIOS]):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with _mistakes_shown_to(nagios=ctx.meta[_FOR_NAGIOS]):
            return super().invoke(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for module, names in _MODULES.items():
            if cmd_name in names:
                found = import_module(f"healthkit.cli.{module}").COMMANDS
                commands: tuple[click.Command, ...] = found
                return next(command for command in commands if command.name == cmd_name)
        return self._from_plugins(ctx).get(cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        own = (name for names in _MODULES.values() for name in names)
        return sorted({*own, *self._from_plugins(ctx)})

    @staticmethod
    def _from_plugins(ctx: click.Context) -> dict[str, click.Command]:
        folder: Path | None = ctx.params.get("plugins_dir")
        found: dict[str, click.Command] = {}

        def take(commands: Iterable[click.Command]) -> None:
            found.update({command.name: command for command in commands if command.name})

        PluginManager(directory=folder).register_each("healthkit_commands", take)
        return found


@click.group(cls=_WithPluginCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="healthkit-core", prog_name="healthkit")
@config_options
def main(config_file: str | None, plugins_dir: Path | None) -> None:
    """Health checks, and alerts that people can trust."""
