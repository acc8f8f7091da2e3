"""The demo: a steakhouse menu, floors and tables, the staff."""

from posapp.auth.demo import DEMO_LOGINS
from posapp.seed.service import seed

__all__ = ["DEMO_LOGINS", "seed"]
