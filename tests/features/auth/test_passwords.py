import pytest

from healthkit import SYSTEM_CLOCK
from posapp.database.engine import open_session
from posapp.features.auth import passwords, service
from posapp.features.auth.service import PasswordCheck
from posapp.settings import Settings


def test_a_password_fits_its_hash_and_no_other():
    hashed = passwords.hash_password("kenangan-2026")
    assert passwords.verify_password("kenangan-2026", hashed)
    assert not passwords.verify_password("kenangan-2027", hashed)
    assert not passwords.verify_password("kenangan-2026", None)
    assert not passwords.verify_password("kenangan-2026", "no hash at all")


def test_an_unknown_account_takes_as_long_as_a_known_one():
    """The hash that stands in for one costs as much as those that are made today."""
    assert not passwords._HASHER.check_needs_rehash(passwords._DUMMY_HASH)


@pytest.mark.parametrize("change", ["password_hash = 'another'", "active = false"])
def test_a_password_that_was_right_opens_nothing_once_the_account_has_changed(
    database, cursor, change
):
    """It takes a while to look at one, and nobody waits for that in a transaction."""
    now = SYSTEM_CLOCK.now()
    with open_session(database, Settings()) as session:
        account = service.active_account(session, "waiter")
        check = PasswordCheck(account.id, account.password_hash, True, (), None)
    with open_session(database, Settings()) as session:
        assert service.accept_password(session, check, "", now, "sign_in").username == "waiter"
    cursor.execute(f"UPDATE users SET {change} WHERE username = 'waiter'")
    with open_session(database, Settings()) as session:
        assert service.accept_password(session, check, "", now, "sign_in") is None
    cursor.execute(
        "UPDATE users SET active = true, password_hash = %s WHERE username = 'waiter'",
        [check.password_hash],
    )
