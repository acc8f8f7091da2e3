"""Validates what only a process looks at that sends messages: templates and channel URLs."""

from __future__ import annotations

import re

from healthkit._alerts import apprise_client
from healthkit._alerts.messages import template_problems
from healthkit._config.settings import Settings
from healthkit._plugins import PluginManager
from healthkit.errors import ConfigProblem
from healthkit.fields import parse_database_url

_FILE = re.compile(r"sqlite(?:\+\w+)?:///.+")


def alert_problems(settings: Settings, plugins: PluginManager) -> list[ConfigProblem]:
    """Returns templates that do not compile, URLs that Apprise does not understand, and a store's
    address that is none.

    Apprise is loaded only where a channel is on, with the channel types of the plugins.
    """
    problems = [*template_problems(settings.messages), *_store_problems(settings)]
    if any(channel.enabled for channel in settings.channels.values()):
        plugins.register_each("healthkit_channel_types", apprise_client.register)
        problems += apprise_client.url_problems(settings.channels)
    return problems


def _store_problems(settings: Settings) -> list[ConfigProblem]:
    """SQLAlchemy is loaded only for what is no plain file of SQLite."""
    url = settings.store.url.get_secret_value()
    if _FILE.fullmatch(url) and url.isprintable():
        return []
    try:
        parsed = parse_database_url(url)
    except ValueError as error:
        return [ConfigProblem("store.url", str(error))]
    if parsed.get_backend_name() == "sqlite" and "\0" in (parsed.database or ""):
        return [ConfigProblem("store.url", "no file has a NUL character in its name")]
    return []
