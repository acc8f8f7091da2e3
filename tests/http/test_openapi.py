"""schemathesis over the whole OpenAPI document: no input is a 500, and every answer is as told."""

import json

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.generation.hypothesis.builder import (
    HypothesisTestConfig,
    HypothesisTestMode,
    create_test,
)
from schemathesis.specs.openapi import checks as openapi

from tools import build_web

load_all_checks()
ON_PURPOSE = "/api/v1/error-test"  # a server error
METHODS = {"get", "put", "post", "delete", "patch"}

# The document as it is kept; `make lint` holds it to the application.
OPERATIONS = [
    (path, method.upper())
    for path, item in json.loads((build_web.WEB / "openapi.json").read_text())["paths"].items()
    if path != ON_PURPOSE
    for method in sorted(METHODS & item.keys())
]


@pytest.fixture(scope="module")
def document(app):
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)


@pytest.fixture(scope="module")
def admin(sign_in):
    return sign_in("admin").headers


@pytest.mark.parametrize(
    "examples", [pytest.param(10, id="some"), pytest.param(50, id="many", marks=pytest.mark.deep)]
)
@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda one: one)
def test_no_input_is_a_server_error_and_every_answer_is_as_documented(
    document, admin, path, method, examples
):
    """Made here and not by `parametrize`, which would make all cases whenever tests are collected."""

    def check(case):
        case.call_and_validate(
            headers=admin,
            checks=[
                not_a_server_error,
                openapi.status_code_conformance,
                openapi.content_type_conformance,
                openapi.response_schema_conformance,
            ],
        )

    settings = hypothesis.settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    phases = list(HypothesisTestMode)
    config = HypothesisTestConfig(document.config, phases, explicit_settings=settings)
    create_test(operation=document[path][method], test_func=check, config=config)()


def test_every_operation_of_the_document_is_tried(document):
    found = {(one.ok().path, one.ok().method.upper()) for one in document.get_all_operations()}
    assert {path for path, _ in found} > {"/api/v1/orders"}
    assert found - set(OPERATIONS) == {(ON_PURPOSE, "GET")}
