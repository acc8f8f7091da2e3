"""Options that all commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from healthkit._config import loader
from healthkit._config.settings import Settings
from healthkit._plugins import PluginManager
from healthkit._reading import read_settings

Command = TypeVar("Command", bound=Callable[..., Any])

NUMBER = click.IntRange(1, 2**63 - 1)
"""The number of an incident or a silence, as far as a store counts."""


@dataclass(frozen=True)
class ConfigOptions:
    """The options `--config` and `--plugins-dir`."""

    config: str
    plugins_dir: Path | None

    def plugins(self) -> PluginManager:
        return PluginManager(directory=self.plugins_dir)

    def settings(self) -> Settings:
        """Reads and validates the configuration. Raises ConfigError."""
        return read_settings(self.config, self.plugins())


def config_options(command: Command) -> Command:
    """`--config` and `--plugins-dir`, before or after the command's name."""
    command = click.option(
        "--config",
        "config_file",
        metavar="FILE",
        help=f"The configuration (default: $HEALTHKIT_CONFIG, or {loader.DEFAULT_FILE}).",
    )(command)
    return click.option(
        "--plugins-dir",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="A folder of further plugins, one *.py each.",
    )(command)


def with_config_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a command whose first argument is its `ConfigOptions`."""

    @click.pass_context
    def wrapped(
        context: click.Context, /, config_file: str | None, plugins_dir: Path | None, **options: Any
    ) -> Any:
        outer: dict[str, Any] = context.find_root().params
        given = ConfigOptions(
            config_file
            or outer.get("config_file")
            or os.environ.get("HEALTHKIT_CONFIG")
            or loader.DEFAULT_FILE,
            plugins_dir or outer.get("plugins_dir"),
        )
        return command(given, **options)

    wrapped.__name__ = command.__name__
    wrapped.__doc__ = command.__doc__
    return config_options(wrapped)
