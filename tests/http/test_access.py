"""Who may do what."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from posapp.http.roles import STAFF_ROLES
from posapp.http.transactions import db

SECRET = "7f3b9c1e5a8d2460b7e9f1a3c5d80246"


@pytest.fixture(scope="module")
def tills(sign_in):
    return {role: sign_in(role) for role in (None, *STAFF_ROLES)}


def operations(app):
    """Those of the API; health and metrics are for anybody, and show not all to everybody."""
    paths = app.api_doc["paths"].items()
    for path, item in (one for one in paths if one[0].startswith("/api/v1/")):
        for method, operation in item.items():
            yield method.upper(), path.removeprefix("/api/v1"), operation


def test_every_route_admits_the_roles_it_says_and_nobody_else(app, tills):
    walked = 0
    for method, path, operation in operations(app):
        allowed = operation.get("x-roles")
        for role, till in tills.items():
            answer = till.request(method, re.sub(r"\{.*?\}", "1", path))
            if allowed is None or role in allowed:
                assert answer.status_code not in (403,), (method, path, role)
                assert answer.status_code != 401 or path.startswith("/auth/"), (method, path, role)
            else:
                assert answer.status_code == (401 if role is None else 403), (method, path, role)
            walked += 1
    assert walked >= 60


def test_every_route_of_the_api_is_in_the_document(app):
    documented = {path for _, path, _ in operations(app)}
    served = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule).removeprefix("/api/v1")
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
    }
    served |= {"/health"}  # is answered before Flask
    own = {"/openapi.json", "/docs", "/", "/oauth2-redirect.html"}
    assert {
        path for path in served if not path.startswith(("/static", "/swagger"))
    } - own == documented


def test_only_admins_see_the_staff(tills):
    assert tills[None].get("/admin/users").status_code == 401
    assert tills["manager"].get("/admin/users").status_code == 403
    users = tills["admin"].get("/admin/users").json["users"]
    assert {user["username"] for user in users} >= set(STAFF_ROLES)
    assert "password" not in json.dumps(users)


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


NOW = datetime.now(UTC)
CLAIMS = {"iss": "posapp", "sub": "1", "role": "admin", "iat": NOW, "exp": NOW + timedelta(hours=1)}
LATER = int((NOW + timedelta(hours=1)).timestamp())


@pytest.mark.parametrize(
    "token",
    [
        jwt.encode({**CLAIMS, "exp": NOW - timedelta(minutes=1)}, SECRET, "HS256"),
        jwt.encode(CLAIMS, "f" * 40, "HS256"),
        f"{part({'alg': 'none'})}.{part({'iss': 'posapp', 'sub': '1', 'iat': 1, 'exp': LATER})}.",
        "not.a.token",
        "",
        "\x7f",
    ],
    ids=["expired", "forged", "alg none", "garbage", "empty", "odd"],
)
def test_a_token_that_is_not_ours_is_401(sign_in, token):
    answer = sign_in(None).get("/admin/users", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.content_type == "application/problem+json"


def test_a_dismissed_user_is_out_at_once(sign_in, app, tills):
    new = {"username": "sari", "name": "Sari", "role": "waiter", "password": "sari-2026-kenangan"}
    assert tills["admin"].post("/admin/users", new).status_code == 201
    assert tills["admin"].post("/admin/users", new).status_code == 409
    answer = sign_in(None).post("/auth/login", {"username": "SARI", "password": new["password"]})
    token = {"Authorization": f"Bearer {answer.json['access_token']}"}
    assert sign_in(None).get("/auth/me", headers=token).json["username"] == "sari"
    with app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET active = false WHERE username = 'sari'")
    assert sign_in(None).get("/auth/me", headers=token).status_code == 401


def test_a_wrong_password_is_401_and_too_many_are_429(sign_in):
    nobody = sign_in(None)
    wrong = {"username": "nobody-here", "password": "guess"}
    codes = [nobody.post("/auth/login", wrong).status_code for _ in range(7)]
    assert codes == [401] * 5 + [429] * 2
    refused = nobody.post("/auth/login", wrong)
    assert int(refused.headers["Retry-After"]) > 0
    assert (
        nobody.post("/auth/login", {"username": "cashier", "password": "cashier-demo"}).status_code
        == 200
    )


def test_demo_logins_are_told_only_outside_production(sign_in):
    logins = sign_in(None).get("/auth/demo-logins").json["logins"]
    assert {login["username"] for login in logins} == set(STAFF_ROLES)
