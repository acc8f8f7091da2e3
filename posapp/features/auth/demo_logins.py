"""The demo's accounts. They exist only where the demo has been seeded, never in production."""

from __future__ import annotations

from posapp.features.auth.schemas import DemoLogin
from posapp.http.roles import StaffRole

_NAMES: tuple[tuple[StaffRole, str], ...] = (
    ("admin", "Sri Wahyuni"),
    ("manager", "Budi Santoso"),
    ("cashier", "Dewi Lestari"),
    ("waiter", "Agus Pratama"),
    ("kitchen", "Rina Kusuma"),
)

DEMO_LOGINS = tuple(
    DemoLogin(username=role, password=f"{role}-demo", role=role, name=name) for role, name in _NAMES
)
