"""Warnings that are told once: a warning is repeated only when it had gone and has come back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from posapp.backup.notifications import Notifications
from posapp.runtime.files import write_atomically


def tell_once(
    folder: Path, subject: str, warnings: Mapping[str, str], notifications: Notifications
) -> None:
    """Tells the warnings about a subject that it has not told before, by their names, to the log
    and to ALERT_WEBHOOK. `folder` is BACKUP_DIR, which keeps their names.

    Raises nothing: a warning is no failure.
    """
    path = folder / ".told.json"
    known = _read(path)
    new = [name for name in sorted(warnings) if name not in known.get(subject, [])]
    if new:
        text = f"⚠️ {subject}: " + "; ".join(f"{name}: {warnings[name]}" for name in new)
        notifications.log(text)
        notifications.send_webhook("backup-warning", text)
    if set(warnings) != set(known.get(subject, [])):
        with suppress(OSError):
            kept = {**known, subject: sorted(warnings)}
            write_atomically(path, json.dumps(kept, indent=1).encode())


def _read(path: Path) -> dict[str, list[str]]:
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(path.read_bytes())
        if isinstance(found, dict):
            return {str(k): list(v) for k, v in found.items() if isinstance(v, list)}
    return {}
