"""No input whatever is a 500, and each mistake is named by its field."""

import io
import json
from uuid import uuid4

import pytest

VALUES = {
    "wrong type": "words",
    "a list": [],
    "null": None,
    "true": True,
    "a fraction": 1.5,
    "zero": 0,
    "negative": -1,
    "2^63": 2**63,
    "NaN": float("nan"),
}


def field_of(answer):
    assert answer.status_code == 422, answer.text
    assert answer.content_type == "application/problem+json"
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
    return [error["field"] for error in answer.json["errors"]]


@pytest.fixture
def body(water):
    return {"type": "takeaway", "lines": [water]}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("name", ["product_id", "quantity"])
def test_a_number_of_a_line_that_is_none_is_named(cashier, body, name, value):
    line = {**body["lines"][0], name: value}
    answer = cashier.post("/orders", {**body, "lines": [line]}, str(uuid4()))
    assert field_of(answer) == [f"lines.0.{name}"]


@pytest.mark.parametrize("value", [v for k, v in VALUES.items() if k != "null"])
def test_a_variant_that_is_none_is_named(cashier, body, value):
    line = {**body["lines"][0], "variant_id": value}
    assert field_of(cashier.post("/orders", {**body, "lines": [line]}, str(uuid4()))) == [
        "lines.0.variant_id"
    ]


@pytest.mark.parametrize("name", ["type", "lines"])
def test_a_missing_field_is_named(cashier, body, name):
    del body[name]
    assert field_of(cashier.post("/orders", body, str(uuid4()))) == [name]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "by drone"}, "type"),
        ({"lines": []}, "lines"),
        ({"lines": "none"}, "lines"),
        ({"table_id": "one"}, "table_id"),
        ({"tabel_id": 1}, "tabel_id"),
        ({"lines": [{"product_id": 1, "quantity": 1, "price": 1}]}, "lines.0.price"),
        ({"lines": [{"product_id": 1, "quantity": 1, "note": "x" * 201}]}, "lines.0.note"),
        ({"lines": [{"product_id": 1, "quantity": 1, "note": "a\x00b"}]}, "lines.0.note"),
        ({"lines": [{"product_id": 1, "quantity": 1, "note": "a\nb"}]}, "lines.0.note"),
        ({"lines": [{"product_id": 1, "quantity": 1, "note": "\ud800"}]}, "lines.0.note"),
        (
            {"lines": [{"product_id": 1, "quantity": 1, "modifier_ids": [2**63]}]},
            "lines.0.modifier_ids.0",
        ),
        ({"lines": [{"product_id": 1, "quantity": 1000}]}, "lines.0.quantity"),
    ],
)
def test_a_wrong_field_is_named(cashier, body, change, field):
    assert field_of(cashier.post("/orders", {**body, **change}, str(uuid4()))) == [field]


def test_every_mistake_is_named_at_once(cashier):
    fields = field_of(cashier.post("/orders", {"type": 1, "lines": [{}]}, str(uuid4())))
    assert set(fields) == {"type", "lines.0.product_id", "lines.0.quantity"}


@pytest.mark.parametrize("key", [None, "", " ", "a b", "x" * 201, "é"])
def test_a_key_that_is_none_is_named(cashier, body, key):
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = cashier.request("POST", "/orders", json=body, headers=headers)
    assert field_of(answer) == ["Idempotency-Key"]


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_an_amount_that_is_none_is_named(cashier, water, value):
    order = cashier.order(water).json
    assert field_of(cashier.pay(order, amount=value)) == ["amount"]


def test_a_login_names_its_fields(sign_in):
    nobody = sign_in(None)
    assert field_of(nobody.post("/auth/login", {"username": "a", "pasword": "b"})) == [
        "password",
        "pasword",
    ]
    assert field_of(nobody.post("/auth/login", {"username": "a\x07", "password": "b"})) == [
        "username"
    ]


@pytest.mark.parametrize(
    ("key", "fields"),
    [("\\ud800", ["body"]), ("a\\udfffb", ["body"]), ("\\u0000", ["lines", r"\x00"])],
)
def test_a_key_that_is_no_text_is_named_as_well_as_can_be(cashier, key, fields):
    answer = cashier.request(
        "POST",
        "/orders/quote",
        data=f'{{"type": "takeaway", "lines": [], "{key}": 1}}',
        content_type="application/json",
    )
    assert field_of(answer) == fields


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"type": "takeaway", "type": "dine_in", "lines": []}', "type"),
        ('{"type": "takeaway", "lines": [{"quantity": 1, "quantity": 5}]}', "quantity"),
        ('{"type": "takeaway", "lines": [], "quantity": 1, "qu\\u0061ntity": 1}', "quantity"),
        ('{"\\ud800": 1, "\\ud800": 2}', "body"),
        ('{"": 1, "": 2}', "body"),
        ('{"password": "geheim-kata", "password": "geheim-kata"}', "password"),
        ("{" + ", ".join(f'"{n % 9000}": 1' for n in range(18_000)) + "}", "0"),
    ],
    ids=range(7),
)
def test_what_is_said_twice_is_named_and_no_reader_chooses(cashier, text, field):
    for path in ("/orders", "/orders/quote", "/auth/login"):
        answer = cashier.request(
            "POST",
            path,
            data=text,
            content_type="application/json",
            headers={"Idempotency-Key": str(uuid4())},
        )
        assert field_of(answer) == [field]
        assert "geheim" not in answer.text


def test_a_query_names_its_fields(cashier):
    assert field_of(cashier.get("/orders?limit=lots")) == ["limit"]
    assert field_of(cashier.get("/orders?limit=0&status=lost")) == ["status", "limit"]
    assert field_of(cashier.get("/public/menu?lang=fr")) == ["lang"]
    assert field_of(cashier.get("/public/menu?language=en")) == ["language"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/orders?status=open&status=paid", "status"),
        ("/orders?limit=5&cursor=9&limit=5", "limit"),
        ("/orders?search=1&se%61rch=2", "search"),
        ("/public/menu?lang=id&lang=en", "lang"),
        ("/public/menu?a%00b=1&a%00b=2", "query"),
    ],
)
def test_what_a_query_says_twice_is_named_and_no_reader_chooses(cashier, path, field):
    assert field_of(cashier.get(path)) == [field]


@pytest.mark.parametrize("text", ["", "{", "[1,", '{"a": 1}}', "nul", "[" * 50_000, "9" * 5000])
def test_broken_json_is_400(cashier, text):
    answer = cashier.request(
        "POST",
        "/orders",
        data=text,
        content_type="application/json",
        headers={"Idempotency-Key": "k"},
    )
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("text", ["[]", "1", "null", '"words"', '"{\\"type\\": \\"takeaway\\"}"'])
def test_json_that_is_no_object_is_422(cashier, text):
    answer = cashier.request(
        "POST",
        "/orders",
        data=text,
        content_type="application/json",
        headers={"Idempotency-Key": "k"},
    )
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", None])
def test_another_media_type_is_415(cashier, body, media):
    answer = cashier.request("POST", "/orders", data=json.dumps(body), content_type=media)
    assert answer.status_code == 415
    assert answer.content_type == "application/problem+json"


def test_a_body_of_a_megabyte_is_413(cashier):
    answer = cashier.request(
        "POST", "/orders", data=b"[" + b" " * 2**20 + b"]", content_type="application/json"
    )
    assert answer.status_code == 413


def test_a_secret_in_the_wrong_place_is_not_said_back(sign_in):
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    body = {"username": "a", "password": "short", token: 1, "4111 1111 1111 1111": 2}
    answer = sign_in(None).post("/auth/login", body)
    assert set(field_of(answer)) == {"***MASKED***"}
    assert token not in answer.text
    assert "4111" not in answer.text


def test_a_body_that_does_not_say_its_length_is_413_too(cashier):
    answer = cashier.request(
        "POST",
        "/orders",
        input_stream=io.BytesIO(b"[" + b" " * 2**20 + b"]"),
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 413


def test_the_documentation_is_a_page(cashier):
    page = cashier.get("/docs")
    assert page.status_code == 200
    assert "swagger" in page.text


@pytest.mark.parametrize("path", ["/status/x", "/status.txt", "/health/x", "/assets/gone.js"])
def test_no_page_of_the_front_end_pretends_to_be_something_else(cashier, path):
    answer = cashier.app.test_client().get(path)
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/orders/abc", 404),
        ("GET", "/orders/-1", 404),
        ("GET", "/orders/0", 422),
        ("GET", f"/orders/{2**63}", 422),
        ("DELETE", "/orders", 405),
        ("GET", "/auth/login", 405),
    ],
)
def test_what_is_not_there_is_a_problem_too(cashier, method, path, code):
    answer = cashier.request(method, path)
    assert answer.status_code == code
    assert answer.content_type == "application/problem+json"


def test_fifteen_thousand_unknown_fields_get_a_short_answer(cashier, body):
    unknown = {f"{number}{'x' * 5}": 1 for number in range(15_000)}
    answer = cashier.post("/orders", {**body, **unknown}, str(uuid4()))
    assert len(field_of(answer)) == 20
    assert answer.json["errors_omitted"] == 15_000 - 20
    assert len(answer.text) < 5_000


def test_a_field_whose_name_is_very_long_gets_a_short_answer(cashier, body):
    answer = cashier.post("/orders", {**body, "\u202e" + "x" * 100_000: 1}, str(uuid4()))
    (name,) = field_of(answer)
    assert len(name) == 200
    assert name.startswith(r"\u202exxx")
    assert len(answer.text) < 1_000
