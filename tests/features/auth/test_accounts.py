"""The life of an account, by the API: whatever changes it ends what was signed in before."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

PASSWORD = "kenangan-2026-sari"


@pytest.fixture(scope="module")
def admin(sign_in):
    return sign_in("admin")


@pytest.fixture
def account(admin):
    """A fresh account, as the API describes it; `role` by argument."""

    def add(role="waiter"):
        name = f"sari-{uuid4().hex[:8]}"
        new = {"username": name, "name": "Sari", "role": role, "password": PASSWORD}
        answer = admin.post("/admin/users", new)
        assert answer.status_code == 201, answer.text
        return answer.json

    return add


def enter(sign_in, user, password=PASSWORD):
    body = {"username": user["username"], "password": password}
    return sign_in(None).post("/auth/login", body)


def me(sign_in, tokens):
    header = {"Authorization": f"Bearer {tokens['access_token']}"}
    return sign_in(None).get("/auth/me", headers=header)


def change(admin, user, **fields):
    return admin.request("PATCH", f"/admin/users/{user['id']}", json=fields)


def test_another_role_shows_and_ends_what_was_signed_in(sign_in, admin, account):
    user = account()
    tokens = enter(sign_in, user).json
    answer = change(admin, user, role="cashier")
    assert (answer.status_code, answer.json["role"]) == (200, "cashier")
    assert me(sign_in, tokens).status_code == 401
    assert enter(sign_in, user).json["user"]["role"] == "cashier"


def test_the_role_that_somebody_has_already_ends_nothing(sign_in, admin, account):
    user = account()
    tokens = enter(sign_in, user).json
    assert change(admin, user, role="waiter").status_code == 200
    assert me(sign_in, tokens).status_code == 200


def test_a_dismissed_account_cannot_sign_in_until_it_is_taken_back(sign_in, admin, account):
    user = account()
    tokens = enter(sign_in, user).json
    assert change(admin, user, active=False).json["active"] is False
    assert me(sign_in, tokens).status_code == 401
    assert enter(sign_in, user).status_code == 401
    assert change(admin, user, active=True).json["active"] is True
    assert enter(sign_in, user).status_code == 200
    assert me(sign_in, tokens).status_code == 401, "what has ended stays ended"


def test_another_password_replaces_the_one_before(sign_in, admin, account):
    user = account()
    tokens = enter(sign_in, user).json
    path = f"/admin/users/{user['id']}/password"
    assert admin.post(path, {"password": "sari-punya-yang-baru"}).status_code == 204
    assert me(sign_in, tokens).status_code == 401
    assert enter(sign_in, user).status_code == 401
    assert enter(sign_in, user, "sari-punya-yang-baru").status_code == 200


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short-one", "at least 10"),
        ("1234567890", "everybody tries first"),
        ("QWERTYUIOP", "everybody tries first"),
        ("baseball12", None),
    ],
)
def test_a_password_that_is_short_or_common_is_refused(admin, account, password, words):
    path = f"/admin/users/{account()['id']}/password"
    answer = admin.post(path, {"password": password})
    if words is None:
        assert answer.status_code == 204
        return
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "password"
    assert words in answer.json["errors"][0]["message"]


def test_the_user_name_is_no_password_in_any_case(admin, account):
    user = account()
    path = f"/admin/users/{user['id']}/password"
    assert admin.post(path, {"password": user["username"].upper()}).status_code == 422
    name = f"panjang-{uuid4().hex[:6]}"
    new = {"username": name, "name": "P", "role": "waiter", "password": name}
    assert admin.post("/admin/users", new).status_code == 422


def test_an_account_that_is_not_there_is_404(admin):
    assert admin.request("PATCH", "/admin/users/999999", json={"active": False}).status_code == 404
    gone = admin.post("/admin/users/999999/password", {"password": PASSWORD})
    assert gone.status_code == 404


def admins(admin):
    users = admin.get("/admin/users").json["users"]
    return [user for user in users if user["role"] == "admin" and user["active"]]


def test_the_last_admin_can_be_neither_dismissed_nor_given_another_role(admin):
    (last,) = admins(admin)
    for fields in ({"active": False}, {"role": "waiter"}):
        answer = change(admin, last, **fields)
        assert answer.status_code == 409
        assert "last admin" in answer.json["detail"]
    assert admins(admin) == [last]


def test_two_admins_who_dismiss_each_other_at_once_leave_one(sign_in, admin, account):
    (first,) = admins(admin)
    others = [account("admin") for _ in range(3)]
    tills = []
    for user in others:
        tokens = enter(sign_in, user).json
        till = sign_in(None)
        till.headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        tills.append(till)
    assert change(tills[0], first, active=False).status_code == 200
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda i: change(tills[i], others[(i + 1) % 3], active=False), range(3)))
    alive = [till for till in tills if till.get("/admin/users").status_code == 200]
    assert alive, "somebody is left who can add others"
    assert len(admins(alive[0])) >= 1
    assert change(alive[0], first, active=True).status_code == 200
