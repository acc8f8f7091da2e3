"""Validates what only a process looks at that sends messages: templates and channel URLs."""

from __future__ import annotations

from healthkit._alerts import apprise_client
from healthkit._alerts.messages import template_problems
from healthkit._config.settings import Settings
from healthkit._plugins import PluginManager
from healthkit.errors import ConfigProblem


def alert_problems(settings: Settings, plugins: PluginManager) -> list[ConfigProblem]:
    """Returns templates that do not compile and URLs that Apprise does not understand.

    Apprise is loaded only where a channel is on, with the channel types of the plugins.
    """
    problems = template_problems(settings.messages)
    if any(channel.enabled for channel in settings.channels.values()):
        plugins.register_each("healthkit_channel_types", apprise_client.register)
        problems += apprise_client.url_problems(settings.channels)
    return problems
