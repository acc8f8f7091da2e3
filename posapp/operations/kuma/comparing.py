"""What differs between deploy/kuma/monitors.toml and a Kuma; looks, and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from posapp.operations.kuma.declared import Declared, KumaError
from posapp.operations.kuma.planning import Change, Remote, plan
from posapp.settings import Settings


@dataclass(frozen=True, slots=True)
class Comparison:
    """`first_account` is None where somebody has an account there; `addresses` are those of the
    push monitors by variable."""

    first_account: str | None
    changes: tuple[Change, ...]
    addresses: Mapping[str, str]

    def lines(self) -> list[str]:
        """What would be done there, for people."""
        first = [] if self.first_account is None else [self.first_account]
        return [*first, *(change.line() for change in self.changes)]


def compare(settings: Settings, declared: Declared) -> Comparison:
    """Signs in and looks. Raises KumaError."""
    from posapp.operations.kuma.remote import opened  # its client is for this alone

    with opened(*account(settings), set_up=False) as found:
        remote = found.read() if found is not None else Remote()
        tokens = found.push_tokens() if found is not None else {}
    return Comparison(
        first_account(settings) if found is None else None,
        tuple(plan(declared, remote)),
        push_addresses(declared, settings, tokens),
    )


def account(settings: Settings) -> tuple[str, str, str]:
    """Returns where Kuma is, and as whom to sign in. Raises KumaError."""
    if settings.kuma_url is None:
        raise KumaError("KUMA_URL is not set; write it like http://127.0.0.1:3001")
    if settings.kuma_password is None:
        raise KumaError("KUMA_PASSWORD is not set; make one with: openssl rand -base64 18")
    return settings.kuma_url, settings.kuma_username, settings.kuma_password.get_secret_value()


def first_account(settings: Settings) -> str:
    """The line about the account that is made in a new Kuma."""
    return f"create the first account {settings.kuma_username!r}"


def push_addresses(
    declared: Declared, settings: Settings, tokens: Mapping[str, str]
) -> dict[str, str]:
    """The push addresses by variable; one that is not made yet has no token."""
    base = settings.kuma_push_url or settings.kuma_url
    return {
        monitor.variable: f"{base}/api/push/{tokens.get(key, '')}"
        for key, monitor in declared.monitors.items()
        if monitor.variable is not None
    }
