"""The API's document is whole, and mistakes are said in order, in the words of a field."""

import re

import pytest

from posapp.app import HEALTH_PATHS, openapi_document


@pytest.fixture(scope="module")
def document():
    return openapi_document()


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_every_operation_has_a_name_of_its_own_that_a_generator_can_take(document):
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names)) > 20
    assert [name for name in names if not re.fullmatch(r"[a-z]+([A-Z][a-z]*)*", name)] == []


def test_health_its_probes_heartbeats_and_metrics_are_in_it(document):
    paths = set(document["paths"])
    assert {*HEALTH_PATHS, "/metrics", "/health/beat/{token}"} <= paths
    assert {"/health", "/livez", "/readyz", "/startupz", "/api/v1/health"} <= paths


def test_every_answer_names_its_headers(document):
    known = document["components"]["headers"]
    for name, operation in operations(document):
        for code, response in operation["responses"].items():
            assert "X-Request-ID" in response["headers"], (name, code)
            assert ("Retry-After" in response["headers"]) is (code in ("429", "503"))
            assert ("WWW-Authenticate" in response["headers"]) is (code == "401")
            assert set(response["headers"]) <= set(known)
    created = document["paths"]["/api/v1/orders"]["post"]["responses"]["201"]
    assert "Idempotency-Replayed" in created["headers"]


def test_an_unchanged_menu_is_in_it(document):
    responses = document["paths"]["/api/v1/public/menu"]["get"]["responses"]
    for code in ("200", "304"):
        assert {"ETag", "Cache-Control"} <= set(responses[code]["headers"])
    assert "content" not in responses["304"]


WRONG = {
    "a path that is not there": ("POST", "/nothing", 404),
    "a page that is not there": ("PUT", "/orders/x", 404),
    "a method that a route has not": ("PUT", "/orders", 405),
    "another one": ("PATCH", "/auth/login", 405),
    "to write what is read": ("POST", "/public/menu", 405),
}


@pytest.mark.parametrize(("method", "path", "code"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("media", ["text/plain", "application/json", None])
def test_a_wrong_path_or_method_is_told_before_the_body_is(cashier, method, path, code, media):
    headers = {"Idempotency-Key": "a, b"}
    for till in (cashier, type(cashier)(cashier.app, {})):
        answer = till.request(method, path, data=b"{", content_type=media, headers=headers)
        assert answer.status_code == code
        assert answer.content_type == "application/problem+json"
        assert ("Allow" in answer.headers) is (code == 405)


USER = {"username": "new", "name": "New", "role": "waiter", "password": "kenangan-2026-x"}
ORDER = {"type": "takeaway", "lines": [{"product_id": 1, "quantity": 1}]}
WORDS = {
    "short": ("/admin/users", USER, {"password": "short"}, "at least 10 characters"),
    "long": ("/admin/users", USER, {"name": "x" * 101}, "at most 100 characters"),
    "empty": ("/admin/users", USER, {"name": ""}, "must not be empty"),
    "a number": ("/admin/users", USER, {"name": 5}, "must be text"),
    "none": ("/admin/users", USER, {"role": "chef"}, "must be 'admin', 'manager'"),
    "unknown": ("/admin/users", USER, {"pin": 1}, "unknown field"),
    "no list": ("/orders/quote", ORDER, {"lines": 5}, "must be a list"),
    "no object": ("/orders/quote", ORDER, {"lines": [5]}, "must be an object"),
    "too few": ("/orders/quote", ORDER, {"lines": []}, "at least 1 of them"),
    "no number": (
        *("/orders/quote", ORDER, {"lines": [{"product_id": "1", "quantity": 1}]}),
        "must be a whole number",
    ),
    "too little": (
        *("/orders/quote", ORDER, {"lines": [{"product_id": 1, "quantity": 0}]}),
        "at least 1",
    ),
}


@pytest.mark.parametrize(("path", "body", "change", "words"), WORDS.values(), ids=WORDS)
def test_a_mistake_is_said_in_the_words_of_the_field(sign_in, path, body, change, words):
    (error,) = sign_in("admin").post(path, {**body, **change}).json["errors"]
    assert error["message"].startswith(words)


def test_a_missing_field_is_said_to_be_required(sign_in):
    errors = sign_in(None).post("/auth/login", {"username": "a"}).json["errors"]
    assert errors == [{"field": "password", "message": "is required"}]


def test_no_message_of_pydantic_is_left_for_any_field(cashier):
    values = (None, "", "x", "x" * 5000, -1, 0, 1.5, 10**30, True, [], {}, [[]], [{}], [None])
    seen = set()
    for value in values:
        for path, body in (("/auth/login", {"username": 1}), ("/orders/quote", ORDER)):
            for name in (*body, "password", "table_id", "guests", "note", "expected_total"):
                answer = cashier.post(path, {**body, name: value})
                seen.update(error["message"] for error in answer.json.get("errors", ()))
    assert len(seen) > 8
    assert [text for text in seen if re.search(r"Input|should|Field required|valid", text)] == []
