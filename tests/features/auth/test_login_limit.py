"""How often a password can be guessed, and that guesses never keep the owner out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from healthkit.testing import ManualClock
from posapp.app import create_app
from posapp.http.transactions import db
from posapp.settings import Settings
from tests.till import SECRET

LOGIN = "/api/v1/auth/login"
API = "/api/v1"
"""Where the cookie goes: a manager's word typed in place is tried there too."""
RIGHT = {"cashier": "cashier-demo", "waiter": "waiter-demo", "manager": "manager-demo"}


@pytest.fixture(scope="module")
def clock():
    return ManualClock(datetime.now(UTC))


@pytest.fixture(scope="module")
def pos(database, tmp_path_factory, clock):
    folder = tmp_path_factory.mktemp("limits")
    settings = Settings.from_env({"JWT_SECRET": SECRET, "POS_DATA_DIR": str(folder)})
    app = create_app(settings, database, clock)
    yield app
    app.extensions["healthkit"].stop()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(autouse=True)
def rested(clock):
    """Every allowance is whole again."""
    clock.advance(3600)


class Browser:
    """A browser, with its cookies, at an address."""

    def __init__(self, pos, address):
        self.client = pos.test_client()
        self.address = address

    def log_in(self, name, password=None):
        return self.client.post(
            LOGIN,
            json={"username": name, "password": password or RIGHT[name]},
            environ_overrides={"REMOTE_ADDR": self.address},
        )

    def guess(self, name, times=1):
        return [self.log_in(name, f"guess-{number}").status_code for number in range(times)]


@pytest.fixture
def stranger(pos):
    return Browser(pos, "203.0.113.7")


@pytest.fixture
def till(pos):
    return Browser(pos, "10.0.0.5")


def test_a_hundred_guesses_at_once_are_no_more_than_five(pos):
    def guess(number):
        return Browser(pos, f"203.0.113.{number}").guess("cashier")[0]

    with ThreadPoolExecutor(12) as pool:
        codes = list(pool.map(guess, range(100)))
    assert codes.count(401) == 5
    assert codes.count(429) == 95


def test_the_account_is_counted_from_every_address_together(pos):
    codes = [Browser(pos, f"198.51.100.{n}").guess("cashier")[0] for n in range(7)]
    assert codes == [401] * 5 + [429] * 2


@pytest.mark.deep
def test_one_address_gets_no_more_than_fifty_over_all_accounts(pos, stranger):
    names = [f"nobody-{number}" for number in range(55)]
    codes = [stranger.guess(name)[0] for name in names]
    assert codes == [401] * 50 + [429] * 5
    assert Browser(pos, "203.0.113.8").guess("nobody-1") == [401]


@pytest.mark.deep
def test_the_addresses_of_one_ipv6_network_count_as_one(pos):
    codes = [Browser(pos, f"2001:db8::{n}").guess(f"nobody-{n}")[0] for n in range(1, 56)]
    assert codes.count(401) == 50


def test_a_till_that_signed_in_before_goes_on_whatever_strangers_guess(stranger, till):
    assert till.log_in("cashier").status_code == 200
    assert stranger.guess("cashier", 8)[-1] == 429
    for _ in range(10):
        assert till.log_in("cashier").status_code == 200


@pytest.mark.deep
def test_a_till_behind_the_same_address_as_the_stranger_goes_on_too(pos, till):
    assert till.log_in("cashier").status_code == 200
    neighbour = Browser(pos, till.address)
    for number in range(60):
        neighbour.guess(f"nobody-{number}")
    assert neighbour.guess("cashier") == [429]
    assert till.log_in("cashier").status_code == 200


def test_a_known_device_has_five_guesses_too_and_they_are_its_own(stranger, till):
    assert till.log_in("cashier").status_code == 200
    assert till.guess("cashier", 7) == [401] * 5 + [429] * 2
    assert stranger.guess("cashier") == [401]


def test_a_device_is_known_for_the_account_that_signed_in_there_alone(stranger):
    assert stranger.log_in("waiter").status_code == 200
    assert stranger.guess("manager", 7) == [401] * 5 + [429] * 2


def test_nobody_can_make_the_cookie_of_a_device(pos, stranger, till):
    assert till.log_in("cashier").status_code == 200
    cookie = till.client.get_cookie(f"device-{user_id(pos)}", path=API)
    device, _, signature = cookie.value.partition(".")
    assert stranger.guess("cashier", 6)[-1] == 429
    for forged in (f"{device}.{'0' * 32}", f"{'a' * 32}.{signature}", "", ".", "é", device):
        stranger.client.set_cookie(cookie.key, forged, path=API)
        assert stranger.guess("cashier") == [429]
    stranger.client.set_cookie(cookie.key, cookie.value, path=API)
    assert stranger.guess("cashier") == [401]


def test_the_cookie_of_a_device_is_seen_by_no_script_and_no_other_site(till):
    header = till.log_in("cashier").headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", f"Path={API}"} <= set(header.split("; "))


def test_there_is_a_next_try_each_minute_and_it_lets_the_owner_in(clock, stranger, till):
    till = Browser(till.client.application, "10.0.0.9")
    assert stranger.guess("cashier", 20)[-1] == 429
    refused = till.log_in("cashier")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    clock.advance(int(refused.headers["Retry-After"]))
    assert till.log_in("cashier").status_code == 200


@pytest.mark.deep
def test_the_right_password_uses_nothing_up(pos):
    for number in range(30):
        assert Browser(pos, "10.0.0.6").log_in("waiter").status_code == 200, number


def test_a_limit_that_is_hit_is_in_the_audit_log_once(pos, stranger, cursor):
    name = f"nobody-{uuid4().hex[:8]}"
    cursor.execute("SELECT count(*) FROM audit_log WHERE action = 'sign_in.limited'")
    before = cursor.fetchone()[0]
    stranger.guess(name, 30)
    cursor.execute("SELECT details FROM audit_log WHERE action = 'sign_in.limited' ORDER BY id")
    told = cursor.fetchall()
    assert len(told) == before + 1
    assert told[-1][0]["by"] == "account"
    assert name not in str(told)


def user_id(pos):
    with pos.app_context():
        return db.session.scalar(db.text("SELECT id FROM users WHERE username = 'cashier'"))
