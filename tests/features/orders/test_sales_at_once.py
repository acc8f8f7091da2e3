"""Random acts from eight connections keep every invariant of the books."""

import os

import pytest

from healthkit import SYSTEM_CLOCK
from healthkit.testing import ManualClock
from posapp.app import create_app
from posapp.http.transactions import db
from posapp.settings import Settings
from tests.features.orders.sales import CONNECTIONS, Shop, check, sell
from tests.till import SECRET, Till

FIRST = int(os.environ.get("SALES_SEED", "1"))
"""The seed of the first sequence."""


@pytest.fixture
def database(postgres, template_database):
    """One for each test: a shop's clock that begins behind the books of another is refused."""
    yield postgres.create("sales_at_once", template_database)
    postgres.drop("sales_at_once")


@pytest.fixture
def shop(database, cursor, tmp_path):
    """A shop, and its tills."""
    clock = ManualClock(SYSTEM_CLOCK.now())
    settings = Settings.from_env(
        {"JWT_SECRET": SECRET, "JWT_EXPIRATION": "2h", "POS_DATA_DIR": str(tmp_path)}
    )
    app = create_app(settings, database, clock)
    nobody = Till(app, {})
    body = {"username": "manager", "password": "manager-demo"}  # who may do everything
    token = nobody.post("/auth/login", body).json["access_token"]
    tills = [Till(app, {"Authorization": f"Bearer {token}"}) for _ in range(CONNECTIONS)]
    dishes = [p["id"] for p in nobody.menu().values() if not p["modifier_groups"]]
    yield Shop(dishes, clock, cursor), tills
    with app.app_context():
        db.engine.dispose()


def test_two_hundred_random_sequences_keep_every_invariant(shop):
    shop, tills = shop
    sell(tills, shop, iter(range(FIRST, FIRST + 200)))
    check(shop)


@pytest.mark.deep
@pytest.mark.timeout(1800)
def test_five_thousand_random_sequences_keep_every_invariant(shop):
    shop, tills = shop
    for first in range(FIRST, FIRST + 5_000, 500):
        sell(tills, shop, iter(range(first, first + 500)))
        check(shop)
