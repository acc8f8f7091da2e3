"""The roles of staff, in one place: columns, schemas, routes and commands take them from here."""

from __future__ import annotations

from typing import Literal, get_args

StaffRole = Literal["admin", "manager", "cashier", "waiter", "kitchen"]
STAFF_ROLES: tuple[StaffRole, ...] = get_args(StaffRole)
