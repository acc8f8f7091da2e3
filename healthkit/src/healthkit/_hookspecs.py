"""The hooks of plugins: the whole contract on one page.

A plugin is a module or an object whose methods carry `@hookimpl`; it is found by the entry-point
group `healthkit`, by `--plugins-dir`, or handed to `PluginManager(plugins=[…])`. Every hook is
optional. A plugin that raises is named in the report and harms nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import click

    from healthkit._check import Check
    from healthkit._model.alerts import Event, LinkAct
    from healthkit._model.checks import CheckInfo

NAMESPACE = "healthkit"
hookspec = pluggy.HookspecMarker(NAMESPACE)
hookimpl = pluggy.HookimplMarker(NAMESPACE)


@hookspec
def healthkit_check_types() -> Mapping[str, type[Any]]:
    """Types that `checks.*.type` can name.

    When: before the configuration is validated. Each value is a subclass of `healthkit.Check`,
    or any class with a `run(context)` whose constructor takes the settings as keywords.
    """
    raise NotImplementedError


@hookspec
def healthkit_channel_types() -> Sequence[type[Any]]:
    """Apprise plugins (subclasses of `apprise.plugins.NotifyBase`) for schemas it lacks.

    When: before the first channel URL is parsed. Each is registered for its `secure_protocol`
    and `protocol`.
    """
    raise NotImplementedError


@hookspec
def healthkit_checks() -> Sequence[tuple[CheckInfo, Check]]:
    """Checks that need no configuration. A check of the same name in healthkit.toml wins."""
    raise NotImplementedError


@hookspec
def healthkit_event(event: Event) -> None:
    """Observe every event, after it has been committed.

    When: in the watcher that leads, on a thread for all observers: one that hangs delays the
    others, and no alert. An event may be missed when the watcher is killed.
    """


@hookspec
def healthkit_act(act: LinkAct) -> None:
    """Observe what somebody has done by the link in a message, once it is in the store.

    When: in the process that answered the link, on a thread of its own, which holds up nothing. It
    may be missed when that process is killed.
    """


@hookspec(firstresult=True)
def healthkit_message(event: Event, language: str) -> tuple[str, str] | None:
    """Compose the message of an event: (title, body), or None to leave it to the next.

    When: right before it is sent, on a thread of its own. What raises, takes longer than 5 s or
    returns anything else is replaced by the built-in message, with a note.
    """


@hookspec
def healthkit_logging() -> bool | None:
    """Set up the log of `healthkit watch`, and return True; else it is plain lines on stderr.

    When: first of all. healthkit logs through Python's `logging`, under the name `healthkit`.
    """


@hookspec
def healthkit_commands() -> Sequence[click.Command]:
    """Further commands of `healthkit`."""
    raise NotImplementedError
