from datetime import UTC, datetime, timedelta

import jwt
import pytest

from posapp.features.auth import passwords
from posapp.features.auth.tokens import TokenError, Tokens

SECRET = "7f3b9c1e5a8d2460b7e9f1a3c5d80246"
TOKENS = Tokens(SECRET, timedelta(minutes=15))
NOW = datetime.now(UTC)


def test_a_token_names_its_user():
    assert TOKENS.user_id(TOKENS.issue(7, "cashier", NOW)) == 7


def forged(**changes):
    claims = {"iss": "posapp", "sub": "1", "iat": NOW, "exp": NOW + timedelta(hours=1), **changes}
    return {key: value for key, value in claims.items() if value is not None}


@pytest.mark.parametrize(
    "token",
    [
        TOKENS.issue(7, "admin", NOW - timedelta(hours=1)),
        jwt.encode(forged(), "another secret that is long enough", "HS256"),
        jwt.encode(forged(), "", "none"),
        "a.b.c",
        jwt.encode(forged(exp=None), SECRET, "HS256"),
        jwt.encode(forged(iss="somebody else"), SECRET, "HS256"),
        jwt.encode(forged(sub="DROP TABLE"), SECRET, "HS256"),
        "",
        "nonsense",
        "a" * 5000,
    ],
    ids=[
        "expired",
        "forged",
        "none",
        "malformed",
        "endless",
        "foreign",
        "odd",
        "empty",
        "text",
        "long",
    ],
)
def test_no_other_token_is_taken(token):
    with pytest.raises(TokenError):
        TOKENS.user_id(token)


def test_a_password_fits_its_hash_and_no_other():
    hashed = passwords.hash_password("kenangan-2026")
    assert passwords.verify_password("kenangan-2026", hashed)
    assert not passwords.verify_password("kenangan-2027", hashed)
    assert not passwords.verify_password("kenangan-2026", None)
    assert not passwords.verify_password("kenangan-2026", "no hash at all")
