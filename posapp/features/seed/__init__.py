"""The demo: a steakhouse menu, floors and tables, the staff."""

from posapp.features.auth.demo_logins import DEMO_LOGINS
from posapp.features.seed.service import seed_demo_data

__all__ = ["DEMO_LOGINS", "seed_demo_data"]
