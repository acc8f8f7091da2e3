"""The alerter in Python, for a service that has no healthkit.toml.

A signal stops it::

    watcher = make_watcher(settings)
    signal.signal(signal.SIGTERM, lambda *_: watcher.stop())
    watcher.run()
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from healthkit._alerts.validation import alert_problems
from healthkit._clock import SYSTEM_CLOCK, Clock
from healthkit._config.settings import Settings
from healthkit._plugins import PluginManager
from healthkit._watcher.watcher import Watcher
from healthkit.errors import ConfigError

__all__ = ["Watcher", "make_watcher"]


def make_watcher(
    settings: Settings,
    *,
    plugins: Iterable[Any] = (),
    plugins_dir: Path | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> Watcher:
    """Returns a watcher: `run` runs the checks and sends the alerts until `stop`, which a signal
    handler or another thread calls.

    Raises ConfigError for templates and channel URLs, and StoreError.
    """
    manager = PluginManager(plugins, plugins_dir)
    if problems := alert_problems(settings, manager):
        raise ConfigError(settings.source, problems)
    return Watcher(lambda: (settings, manager), clock)
