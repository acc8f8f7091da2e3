"""The demo: a steakhouse menu, floors and tables, the staff."""

from posapp.features.auth.demo_logins import DEMO_LOGINS
from posapp.features.seed.service import seed

__all__ = ["DEMO_LOGINS", "seed"]
