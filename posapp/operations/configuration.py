"""Changes of the configuration, found at each start and written to the audit log.

Values that are no secret are kept as they are; of a secret only a keyed digest, by which another
one is known and nothing can be guessed.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Any

from pydantic import SecretStr
from sqlalchemy.orm import Session

from healthkit.masking import mask_value
from posapp.features.audit import service as audit
from posapp.runtime import processes
from posapp.settings import Settings

ACTION = "configuration.changed"
_KEY = "JWT_SECRET"


def record_changes(session: Session, settings: Settings, signing_key: str, now: datetime) -> None:
    """Adds an entry where the configuration is not the one of the last start. The caller commits.

    `signing_key` is the one that tokens are signed with; digests of secrets are keyed with it.
    """
    current = described(settings, signing_key)
    last = audit.find(session, action=ACTION, limit=1)
    known: dict[str, Any] = last[0].details["configuration"] if last else {}
    if changed := differences(known, current):
        audit.record(
            session,
            None,
            ACTION,
            "configuration",
            0,
            now,
            changed=changed,
            configuration=current,
        )


def described(settings: Settings, signing_key: str) -> dict[str, str]:
    """Returns each variable that is set, and healthkit.toml, as text that shows no secret."""
    found = {_KEY: _digest("", signing_key)}
    for name, value in settings:
        if isinstance(value, SecretStr) and name.upper() != _KEY:
            found[name.upper()] = _digest(value.get_secret_value(), signing_key)
        elif value is not None and name.upper() != _KEY:
            found[name.upper()] = str(mask_value(str(value)))
    config = processes.health_config_path(settings)
    found["healthkit.toml"] = _digest(config.read_text("utf-8", "replace"), signing_key)
    return found


def differences(known: dict[str, Any], current: dict[str, str]) -> list[str]:
    """Returns the names that differ. With another signing key every digest does: then it alone is
    told, with what is no digest."""
    names = sorted(n for n in {*known, *current} if known.get(n) != current.get(n))
    if known and _KEY in names:
        digests = {n for n in names if str(current.get(n, known.get(n))).startswith(_MARK)}
        return [name for name in names if name == _KEY or name not in digests]
    return names


_MARK = "digest:"


def _digest(value: str, key: str) -> str:
    return _MARK + hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()[:16]
