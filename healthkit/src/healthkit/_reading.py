"""Reads settings with the plugins that they need, validated to the last template."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from healthkit._config import loader
from healthkit._config.settings import Settings
from healthkit._plugins import PluginManager
from healthkit.errors import ConfigProblem


def load_settings(
    source: str | os.PathLike[str] | Mapping[str, Any] = loader.DEFAULT_FILE,
    *,
    environ: Mapping[str, str] | None = None,
    resources: Mapping[str, Mapping[str, Any]] | None = None,
    plugins: Iterable[Any] = (),
    plugins_dir: Path | None = None,
) -> Settings:
    """Returns the settings of a file, or of a document as TOML would give it, validated to the
    last template and channel URL.

    `environ` fills `${NAME}` (default: the process's environment); `resources` hands objects to
    checks by name: `{"database": {"engine": engine}}`. Raises ConfigError with every mistake.
    """
    return read_settings(source, PluginManager(plugins, plugins_dir), environ, resources)


def read_settings(
    source: str | os.PathLike[str] | Mapping[str, Any],
    plugins: PluginManager,
    environ: Mapping[str, str] | None = None,
    resources: Mapping[str, Mapping[str, Any]] | None = None,
) -> Settings:
    """Does the same as `load_settings`, with plugins that are loaded already."""
    from healthkit._alerts.validation import alert_problems

    validator = partial(alert_problems, plugins=plugins)
    return loader.load(source, plugins, environ, resources, validator=validator)


def read_for_serving(
    path: str | os.PathLike[str],
    plugins: PluginManager,
    environ: Mapping[str, str] | None = None,
    resources: Mapping[str, Mapping[str, Any]] | None = None,
) -> Settings:
    """Does the same for a process that sends nothing: the URLs of channels are not looked at."""
    return loader.load(path, plugins, environ, resources, validator=_template_problems)


def _template_problems(settings: Settings) -> Iterable[ConfigProblem]:
    """Compiles templates where there are any: Jinja2 is loaded for nothing else here."""
    if not settings.messages.templates():
        return ()
    from healthkit._alerts.messages import template_problems

    return template_problems(settings.messages)
