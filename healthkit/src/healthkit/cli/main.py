"""`healthkit` and the commands of plugins."""

from __future__ import annotations

from pathlib import Path

import click

from healthkit._plugins import PluginManager
from healthkit.cli import alerts, checks, silences, status
from healthkit.cli.common import HandledErrors, place_options


class _WithPluginCommands(HandledErrors):
    """Looks for commands in plugins only when none of its own has the name."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or self._from_plugins(ctx).get(cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._from_plugins(ctx)})

    @staticmethod
    def _from_plugins(ctx: click.Context) -> dict[str, click.Command]:
        folder: Path | None = ctx.params.get("plugins_dir")
        answers = PluginManager(directory=folder).each("healthkit_commands")
        return {command.name: command for answer in answers for command in answer if command.name}


@click.group(cls=_WithPluginCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="healthkit-core", prog_name="healthkit")
@place_options
def main(config_file: str | None, plugins_dir: Path | None) -> None:
    """Health checks, and alerts that people can trust."""


for command in (
    *(checks.check, checks.plugins, checks.init, checks.config_group, checks.beat),
    *(alerts.watch, alerts.incidents_command, alerts.ack, alerts.alert),
    *(silences.silence, status.status),
):
    main.add_command(command)
