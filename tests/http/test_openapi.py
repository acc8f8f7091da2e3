"""schemathesis over the whole OpenAPI document: no input is a 500, and every answer is as told."""

import hypothesis
import pytest
import schemathesis
from pydantic import SecretStr
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi import checks as openapi

from posapp.app import create_api
from posapp.settings import Settings

load_all_checks()


class Late:
    """The application: for its document alone at first, then the one with a database."""

    def __init__(self):
        self.app = create_api(Settings(jwt_secret=SecretStr("no token is made")))

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)


late = Late()
schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", late).exclude(
    path="/api/v1/error-test"  # a server error on purpose
)


@pytest.fixture(scope="module")
def admin(app, sign_in):
    late.app = app
    return sign_in("admin").headers


def settings(examples):
    return hypothesis.settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )


@schema.parametrize()
@settings(10)
def test_no_input_is_a_server_error_and_every_answer_is_as_documented(case, admin):
    check(case, admin)


@pytest.mark.deep
@schema.parametrize()
@settings(50)
def test_no_input_of_many_is_a_server_error(case, admin):
    check(case, admin)


def check(case, admin):
    case.call_and_validate(
        headers=admin,
        checks=[
            not_a_server_error,
            openapi.status_code_conformance,
            openapi.content_type_conformance,
            openapi.response_schema_conformance,
        ],
    )
