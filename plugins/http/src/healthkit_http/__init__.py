"""The check type `http`: a web address answers as expected, and soon enough."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from healthkit import Check, CheckContext, Outcome, hookimpl
from healthkit.fields import PositiveDuration
from healthkit_http.evaluation import (
    Expected,
    HttpResponse,
    compiled,
    compiled_query,
    evaluate,
)

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        (parts.hostname or "").encode("idna")  # an empty label, or one of 64 letters
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s\x00-\x1f]", url):
        raise ValueError("not a web address; write it like https://your-domain.com/")
    return url


def _statuses(value: Any) -> Any:
    return (value,) if isinstance(value, int | str) else value


def _status(value: Any) -> str:
    """A status as three characters, `x` standing for any digit."""
    text = str(value).lower() if isinstance(value, int | str) and value is not True else ""
    if not re.fullmatch(r"[1-5](\d\d|\dx|xx)", text):
        raise ValueError(f'{value!r} is not an HTTP status; write it like 200 or "2xx"')
    return text


def _paths(values: dict[str, Any]) -> dict[str, Any]:
    for path in values:
        compiled(path)
    return values


def _queries(values: Any) -> Any:
    return (values,) if isinstance(values, str) else values


def _query(expression: str) -> str:
    compiled_query(expression)
    return expression


def _headers(values: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name, value in values.items():
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of a header")
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value.get_secret_value()):
            raise ValueError(f"the value of {name!r} has control characters")
        if value.get_secret_value()[:1] in (" ", "\t"):  # which is never sent
            raise ValueError(f"the value of {name!r} begins with a blank")
    return values


def _trust(value: Any) -> bool | Path:
    if isinstance(value, bool):
        return value
    if isinstance(value, str | Path) and Path(value).is_file():
        return Path(value)
    raise ValueError(f"{str(value)!r} is neither true, false nor the file of a CA")


StatusPattern = Annotated[str, BeforeValidator(_status)]


class Http(Check):
    """Whether `url` answers with an expected status, text and JSON, within `slow_after`."""

    url: Annotated[str, AfterValidator(_address)] = Field(repr=False)
    """The address that is asked for, `http://` or `https://`."""
    expect_status: Annotated[
        tuple[StatusPattern, ...], BeforeValidator(_statuses), Field(min_length=1)
    ] = ("200",)
    """The statuses that are right: `200`, `"2xx"`, `"30x"`."""
    expect_text: str | None = Field(default=None, min_length=1)
    """A text that the body must hold."""
    expect_json: Annotated[dict[str, Any], AfterValidator(_paths)] = Field(default={})
    """Paths into the JSON of the body, and what must stand there: `{"$.status" = "ok"}`."""
    expect_query: Annotated[
        tuple[Annotated[str, AfterValidator(_query)], ...], BeforeValidator(_queries)
    ] = ()
    """Questions in JMESPath, each of which must be true of the JSON: `status == 'ok'`."""
    slow_after: PositiveDuration | None = None
    """The time from which an answer is degraded."""
    method: str = Field(default="GET", pattern=r"^[A-Z]{1,20}$")
    """The method of the request, in capitals."""
    headers: Annotated[dict[str, SecretStr], AfterValidator(_headers)] = Field(default={})
    """Headers of the request."""
    body: str | None = None
    """The body of the request."""
    verify: Annotated[bool | Path, BeforeValidator(_trust)] = True
    """Whether certificates are verified; or the file of the CA that they are verified by."""
    follow_redirects: bool = True
    """Whether the answer of the last address counts, or that of the first."""
    private_addresses: bool = True
    """False where strangers write the configuration: no address within is ever connected to."""

    def run(self, context: CheckContext) -> Outcome:
        # requests takes 70 ms to import: only a configured check pays for it.
        from healthkit_http.client import FETCH_ERRORS, describe_error, fetch

        try:
            answer: HttpResponse = fetch(self, context.timeout)
        except FETCH_ERRORS as error:
            return Outcome.unhealthy(describe_error(error, context.timeout))
        slow_after = self.slow_after.total_seconds() if self.slow_after else None
        wanted = (self.expect_status, self.expect_text, self.expect_json, slow_after)
        return evaluate(answer, Expected(*wanted, self.expect_query))

    def target(self) -> str:
        """The address without credentials, query and fragment, where secrets may stand."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


@hookimpl
def healthkit_check_types() -> Mapping[str, type[Check]]:
    return {"http": Http}
