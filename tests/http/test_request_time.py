"""Time is handed to the application: a test moves it."""

from datetime import UTC, datetime, timedelta

import pytest

from healthkit.testing import ManualClock
from posapp.app import create_app
from posapp.http.transactions import db
from posapp.settings import Settings
from tests.till import SECRET, Till


@pytest.fixture
def clock():
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def nobody(database, tmp_path, clock):
    settings = Settings.from_env({"JWT_SECRET": SECRET, "POS_DATA_DIR": str(tmp_path)})
    app = create_app(settings, database, clock)
    yield Till(app, {})
    app.extensions["healthkit"].stop()
    with app.app_context():
        db.engine.dispose()


def guess(till):
    return till.post("/auth/login", {"username": "nobody-at-all", "password": "guess"})


def test_too_many_guesses_are_forgotten_after_their_window(nobody, clock):
    codes = [guess(nobody).status_code for _ in range(6)]
    assert codes.count(429) >= 1
    wait = int(guess(nobody).headers["Retry-After"])
    clock.advance(wait)
    assert guess(nobody).status_code == 401


def test_a_sign_in_ends_after_fourteen_days_by_the_clock_that_is_handed_in(nobody, clock):
    login = {"username": "waiter", "password": "waiter-demo"}
    pair = nobody.post("/auth/login", login).json
    clock.advance(timedelta(days=14).total_seconds())
    refused = nobody.post("/auth/refresh", {"refresh_token": pair["refresh_token"]})
    assert refused.status_code == 401


def test_a_change_of_the_menu_shows_after_two_seconds(nobody, clock, cursor):
    def sold_out():
        return not nobody.menu()["Air Mineral"]["available"]

    assert not sold_out()
    cursor.execute("UPDATE products SET available = false WHERE name_id = 'Air Mineral'")
    clock.advance(1.9)
    assert not sold_out()
    clock.advance(0.2)
    assert sold_out()
    cursor.execute("UPDATE products SET available = true WHERE name_id = 'Air Mineral'")
