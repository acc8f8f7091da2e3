"""`healthkit` and the commands of plugins."""

from __future__ import annotations

from pathlib import Path

import click

from healthkit._plugins import PluginManager
from healthkit.cli import _alerts, _checks, _silences, _status
from healthkit.cli._options import HandledErrors, config_options


class _WithPluginCommands(HandledErrors):
    """Looks for commands in plugins only when none of its own has the name."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or self._from_plugins(ctx).get(cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._from_plugins(ctx)})

    @staticmethod
    def _from_plugins(ctx: click.Context) -> dict[str, click.Command]:
        folder: Path | None = ctx.params.get("plugins_dir")
        offered = PluginManager(directory=folder).call_all("healthkit_commands")
        return {
            command.name: command for commands in offered for command in commands if command.name
        }


@click.group(cls=_WithPluginCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="healthkit-core", prog_name="healthkit")
@config_options
def main(config_file: str | None, plugins_dir: Path | None) -> None:
    """Health checks, and alerts that people can trust."""


for command in (
    *(_checks.check, _checks.plugins, _checks.init, _checks.config_group, _checks.beat),
    *(_alerts.watch, _alerts.incidents_command, _alerts.ack, _alerts.alert),
    *(_silences.silence, _status.status),
):
    main.add_command(command)
