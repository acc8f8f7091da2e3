"""What stands in a token, and which tokens are ours: without a database."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest
from flask import Flask, Response
from flask_jwt_extended.exceptions import WrongTokenError
from jwt import ExpiredSignatureError

from posapp.features.auth import tokens
from posapp.features.auth.models import RefreshToken, User
from posapp.features.auth.service import IssuedTokens
from posapp.http.errors import Unauthorized

SECRET = "7f3b9c1e5a8d2460b7e9f1a3c5d80246"
FAMILY = UUID("fc527fc6-a0c8-4a8d-a9ad-423e016c9d2a")
JTI = UUID("0d6a5c1e-9f0b-4b7e-8a53-3a6f0c0f7d11")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


@pytest.fixture(autouse=True)
def app():
    app = Flask("tokens")
    tokens.install(app, SECRET, QUARTER)
    with app.app_context():
        yield app


def issued(at, **changes):
    user = User(id=7, role="waiter", token_epoch=3)
    columns = {"jti": JTI, "family": FAMILY, "created_at": at, "expires_at": at + 14 * QUARTER}
    return IssuedTokens(user, RefreshToken(**columns | changes))


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def signed(**changes):
    """An old refresh token of ours with other claims; None leaves one out."""
    claims = claims_of(tokens.encode(issued(LONG_AGO)).refresh_token) | changes
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, SECRET, "HS256")


def test_a_stored_token_always_makes_the_same_pair():
    assert tokens.encode(issued(LONG_AGO)) == tokens.encode(issued(LONG_AGO))
    other = tokens.encode(issued(LONG_AGO, jti=FAMILY))
    assert other.access_token != tokens.encode(issued(LONG_AGO)).access_token


def test_both_tokens_say_whose_they_are_and_when_they_end():
    pair = tokens.encode(issued(LONG_AGO))
    access, refresh = claims_of(pair.access_token), claims_of(pair.refresh_token)
    for claims in (access, refresh):
        assert (claims["sub"], claims["family"], claims["epoch"]) == ("7", str(FAMILY), 3)
        assert (claims["iss"], claims["iat"]) == ("posapp", int(LONG_AGO.timestamp()))
        assert "nbf" not in claims
        assert "csrf" not in claims
    assert (access["type"], refresh["type"]) == ("access", "refresh")
    assert access["exp"] - access["iat"] == pair.expires_in == 15 * 60
    assert refresh["exp"] - refresh["iat"] == 14 * 15 * 60
    assert refresh["jti"] == str(JTI) != access["jti"]


def test_the_sign_in_of_a_refresh_token_is_known_after_its_end_too():
    assert tokens.family_of(tokens.encode(issued(LONG_AGO)).refresh_token) == FAMILY


@pytest.mark.parametrize(
    "changes",
    [
        {"family": None},
        {"family": "no uuid"},
        {"family": [1]},
        {"family": 5},
        {"jti": "no uuid"},
        {"epoch": None},
        {"epoch": "3"},
        {"exp": None},
        {"sub": "7; DROP TABLE"},
        {"iss": "somebody else"},
    ],
    ids=str,
)
def test_a_token_that_lacks_one_of_our_claims_has_no_sign_in(changes):
    assert tokens.family_of(signed()) == FAMILY
    assert tokens.family_of(signed(**changes)) is None


@pytest.mark.parametrize("text", ["", "a.b.c", "é", "x" * 2000])
def test_what_is_no_token_has_no_sign_in(text):
    assert tokens.family_of(text) is None


def test_a_token_of_another_key_has_no_sign_in():
    claims = claims_of(tokens.encode(issued(LONG_AGO)).refresh_token)
    assert tokens.family_of(jwt.encode(claims, SECRET[::-1], "HS256")) is None


def refused(app, header):
    with app.test_request_context(headers={"Authorization": header} if header else {}):
        tokens.authenticate()


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
@pytest.mark.parametrize("gap", [" ", "   ", " \t"])
def test_the_token_after_the_word_bearer_is_read_in_any_case_with_any_gap(app, scheme, gap):
    with pytest.raises(ExpiredSignatureError):
        refused(app, f"{scheme}{gap}{tokens.encode(issued(LONG_AGO)).access_token} ")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer  ", "Basic abc", "a.b.c"])
def test_who_sends_no_token_is_asked_to_sign_in(app, header):
    with pytest.raises(Unauthorized, match="Sign in first"):
        refused(app, header)


@pytest.mark.parametrize("token", ["a b", "a,b", "a.b.c, d.e.f"])
def test_who_sends_two_tokens_is_told_that_it_is_none(app, token):
    with pytest.raises(Unauthorized, match="not valid"):
        refused(app, f"Bearer {token}")


@pytest.mark.parametrize(("seconds", "accepted"), [(29, True), (31, False)])
def test_clocks_of_two_servers_may_differ_by_half_a_minute(app, seconds, accepted):
    now = datetime.now(UTC)
    early = tokens.encode(issued(now + timedelta(seconds=seconds))).access_token
    assert tokens.LEEWAY == 30
    with pytest.raises((RuntimeError, jwt.ImmatureSignatureError)) as raised:
        refused(app, f"Bearer {early}")
    # What is accepted goes on to the database, which is not here.
    assert isinstance(raised.value, RuntimeError) is accepted


def test_the_library_answers_in_the_words_and_the_form_of_the_api(app):
    app.add_url_rule("/me", view_func=tokens.authenticate)
    pair = tokens.encode(issued(LONG_AGO))
    for token, detail in (
        (pair.access_token, "The access token has expired; refresh it."),
        ("a.b.c", "The access token is not valid; sign in again."),
    ):
        answer = app.test_client().get("/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        assert answer.content_type == "application/problem+json"
        assert answer.json["detail"] == detail


def test_only_a_refresh_token_refreshes(app):
    pair = tokens.encode(issued(datetime.now(UTC)))

    def verify(token):
        with app.test_request_context(method="POST", json={"refresh_token": token}):
            tokens.verify_refresh_token()

    with pytest.raises(WrongTokenError):
        verify(pair.access_token)
    with pytest.raises(RuntimeError):  # it goes on to the database, which is not here
        verify(pair.refresh_token)


def test_no_method_passes_without_a_look_at_its_token(app):
    """Flask-JWT-Extended lets OPTIONS pass unseen."""
    token = tokens.encode(issued(LONG_AGO)).access_token
    context = app.test_request_context(
        method="OPTIONS", headers={"Authorization": f"Bearer {token}"}
    )
    with context, pytest.raises(Unauthorized, match="Sign in first"):
        tokens.authenticate()


def cookie_of(app, device, scheme="http"):
    """The Set-Cookie header by which the browser of account 7 is remembered, in its parts."""
    with app.test_request_context(base_url=f"{scheme}://pos.example"):
        response = Response()
        tokens.remember_device(response, 7, device)
    return response.headers["Set-Cookie"].split("; ")


def test_a_device_keeps_its_name_and_a_new_one_gets_its_own(app):
    def named(cookie):
        cookie_value = cookie[0].removeprefix("device-7=")
        with app.test_request_context(headers={"Cookie": f"device-7={cookie_value}"}):
            return tokens.device_of_request(7)

    known = "0123456789abcdef0123456789abcdef"
    assert named(cookie_of(app, known)) == known
    first, second = (named(cookie_of(app, None)) for _ in range(2))
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert first != second


def test_the_cookie_of_a_device_is_for_no_script_no_other_site_and_the_api_alone(app):
    cookie = cookie_of(app, None)
    assert {"HttpOnly", "SameSite=Strict", "Path=/api/v1", "Max-Age=31536000"} <= set(cookie)
    assert "Secure" not in cookie, "it would not come back over HTTP"
    assert "Secure" in cookie_of(app, None, "https")
