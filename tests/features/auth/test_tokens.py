"""How long a sign-in lasts, and what ends it."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posapp.http.transactions import db

SECRET = "7f3b9c1e5a8d2460b7e9f1a3c5d80246"
PASSWORD = "kenangan-2026-sari"


@pytest.fixture(scope="module")
def nobody(sign_in):
    return sign_in(None)


@pytest.fixture
def sari(sign_in, nobody):
    """A fresh account, and how it signs in."""
    name = f"sari-{uuid4().hex[:8]}"
    new = {"username": name, "name": "Sari", "role": "waiter", "password": PASSWORD}
    assert sign_in("admin").post("/admin/users", new).status_code == 201

    def enter():
        answer = nobody.post("/auth/login", {"username": name, "password": PASSWORD})
        assert answer.status_code == 200
        return answer.json

    enter.username = name
    return enter


def me(nobody, pair, scheme="Bearer"):
    header = {"Authorization": f"{scheme} {pair['access_token']}"}
    return nobody.get("/auth/me", headers=header)


def refresh(nobody, pair):
    return nobody.post("/auth/refresh", {"refresh_token": pair["refresh_token"]})


def execute(app, statement, *values):
    with app.app_context(), db.engine.begin() as connection:
        return connection.exec_driver_sql(statement, values)


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_an_answer_that_got_lost_is_given_again_the_same(nobody, sari):
    pair = sari()
    first = refresh(nobody, pair)
    again = refresh(nobody, pair)
    assert first.status_code == again.status_code == 200
    assert again.json == first.json
    assert me(nobody, again.json).status_code == 200


def test_twenty_at_once_get_one_successor(nobody, sari):
    pair = sari()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: refresh(nobody, pair), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json["refresh_token"] for answer in answers}) == 1


def test_an_old_token_after_its_successor_was_used_ends_the_whole_sign_in(
    nobody, sari, app, cursor
):
    pair = sari()
    second = refresh(nobody, pair).json
    third = refresh(nobody, second).json
    assert refresh(nobody, pair).status_code == 401
    assert refresh(nobody, third).status_code == 401
    assert me(nobody, third).status_code == 401, "access tokens end at once"
    cursor.execute(
        "SELECT count(*) FROM audit_log a JOIN users u ON u.id = a.entity_id"
        " WHERE a.action = 'sign_in.stolen' AND u.username = %s",
        [sari.username],
    )
    assert cursor.fetchone() == (1,)


def test_a_used_token_that_comes_later_than_a_minute_is_stolen(nobody, sari, app):
    pair = sari()
    renewed = refresh(nobody, pair).json
    jti = claims_of(pair["refresh_token"])["jti"]
    execute(
        app,
        "UPDATE refresh_tokens SET used_at = used_at - interval '61 seconds' WHERE jti = %s",
        jti,
    )
    assert refresh(nobody, pair).status_code == 401
    assert me(nobody, renewed).status_code == 401


def test_one_stolen_sign_in_leaves_the_others_of_its_user(nobody, sari):
    stolen, other = sari(), sari()
    second = refresh(nobody, stolen).json
    refresh(nobody, second)
    assert refresh(nobody, stolen).status_code == 401
    assert me(nobody, other).status_code == 200
    assert refresh(nobody, other).status_code == 200


def test_a_sign_in_ends_after_fourteen_days_however_often_it_is_refreshed(nobody, sari, app):
    pair = sari()
    renewed = refresh(nobody, pair).json
    first, second = (claims_of(one["refresh_token"]) for one in (pair, renewed))
    assert second["exp"] == first["exp"] == first["iat"] + 14 * 24 * 3600
    execute(app, "UPDATE sign_ins SET expires_at = now() WHERE id = %s", first["family"])
    assert refresh(nobody, renewed).status_code == 401


def test_who_signs_out_is_out_with_the_access_token_too(nobody, sari):
    pair = sari()
    token = {"refresh_token": pair["refresh_token"]}
    assert nobody.post("/auth/logout", token).status_code == 204
    assert me(nobody, pair).status_code == 401
    assert refresh(nobody, pair).status_code == 401
    assert nobody.post("/auth/logout", token).status_code == 204, "once more changes nothing"


def test_signing_out_with_what_is_no_token_is_no_error(nobody):
    assert nobody.post("/auth/logout", {"refresh_token": "nonsense"}).status_code == 204


@pytest.mark.parametrize(
    "change",
    ["active = false", "password_hash = 'another'", "role = 'cashier'"],
    ids=["a dismissal", "another password", "another role"],
)
def test_what_changes_an_account_ends_its_tokens_at_the_next_request(nobody, sari, app, change):
    pair = sari()
    execute(app, f"UPDATE users SET {change} WHERE username = %s", sari.username)
    assert me(nobody, pair).status_code == 401
    assert refresh(nobody, pair).status_code == 401


def test_another_name_ends_nothing(nobody, sari, app):
    pair = sari()
    execute(app, "UPDATE users SET name = 'Sari Dewi' WHERE username = %s", sari.username)
    assert me(nobody, pair).status_code == 200


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_bearer_in_any_case(nobody, sari, scheme):
    assert me(nobody, sari(), scheme).status_code == 200


def signed(pair, **changes):
    claims = {**claims_of(pair["access_token"]), **changes}
    kept = {name: value for name, value in claims.items() if value is not None}
    return {"access_token": jwt.encode(kept, SECRET, "HS256")}


def seconds(number):
    return datetime.now(UTC) + timedelta(seconds=number)


def test_a_clock_that_is_seconds_ahead_is_no_reason_to_refuse(nobody, sari):
    pair = sari()
    assert me(nobody, signed(pair, iat=seconds(25))).status_code == 200
    assert me(nobody, signed(pair, exp=seconds(-25))).status_code == 200
    assert me(nobody, signed(pair, iat=seconds(40))).status_code == 401
    assert me(nobody, signed(pair, exp=seconds(-40))).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"iss": "somebody else"},
        {"iss": None},
        {"sub": "DROP TABLE"},
        {"sub": None},
        {"family": None},
        {"family": "no uuid"},
        {"family": [1]},
        {"family": "fc527fc6-a0c8-4a8d-a9ad-423e016c9d2a"},
        {"epoch": None},
        {"epoch": "0"},
        {"epoch": 7},
        {"jti": 5},
        {"type": "refresh"},
    ],
    ids=str,
)
def test_a_token_of_ours_with_another_claim_is_401(nobody, sari, changes):
    answer = me(nobody, signed(sari(), **changes))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.content_type == "application/problem+json"


def test_an_access_token_refreshes_nothing(nobody, sari):
    pair = sari()
    assert refresh(nobody, {"refresh_token": pair["access_token"]}).status_code == 401
    assert me(nobody, {"access_token": pair["refresh_token"]}).status_code == 401


def part(text):
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


DEEP = f"{part(json.dumps({'alg': 'HS256'}))}.{part('[' * 1400)}.x"
ODD = st.one_of(
    st.text(max_size=60),
    st.text("., \t\x0b\x85\xa0=Bearer", max_size=30),
    st.builds(
        lambda head, body: f"Bearer {part(head)}.{part(body)}.sig",
        st.text(max_size=40),
        st.text(max_size=40),
    ),
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ODD)
def test_no_authorization_header_whatever_is_more_than_401(app, header):
    sent = header.encode("utf-8", "replace").decode("latin-1").replace("\n", "").replace("\r", "")
    answer = app.test_client().get(
        "/api/v1/auth/me", environ_overrides={"HTTP_AUTHORIZATION": sent}
    )
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "token", [DEEP, "a.b.c", "é", "x" * 2000], ids=["deep", "abc", "é", "long"]
)
def test_a_refresh_token_that_is_none_is_401(nobody, token):
    assert refresh(nobody, {"refresh_token": token}).status_code == 401
    header = {"Authorization": f"Bearer {token}"}
    assert nobody.get("/auth/me", headers=header).status_code == 401
