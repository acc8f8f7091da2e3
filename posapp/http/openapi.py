"""The OpenAPI document, completed from the marks on the routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_openapi3 import APIBlueprint, OpenAPI, Tag
from pydantic import BaseModel

from posapp.http.openapi_health import TAG, health_paths
from posapp.http.problems import MEDIA_TYPE


class FieldErrorDetail(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[FieldErrorDetail] | None = None
    """The first twenty."""
    errors_omitted: int | None = None
    """The number of further errors."""
    quote: dict[str, Any] | None = None
    """The totals of now, where `expected_total` differs (409)."""
    question: str | None = None
    """What to ask the person at the till before the same is sent with `confirmed`."""
    code: str | None = None
    """The sentence of `detail`, for screens that say it in their own language."""
    params: dict[str, Any] | None = None
    """What that sentence names."""


def api_blueprint(name: str, tag: str) -> APIBlueprint:
    """A blueprint of routes under one tag of the document; the `operationId` of each is the name of
    its function in camel case (`create_order`: `createOrder`)."""
    return APIBlueprint(
        name, __name__, abp_tags=[Tag(name=tag)], operation_id_callback=_operation_id
    )


def _operation_id(*, name: str, path: str, method: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def complete_document(app: OpenAPI, health: Mapping[str, str]) -> None:
    """Completes the OpenAPI document from the marks on the routes, and by the paths of `health`,
    which healthkit's renderers answer.

    Raises RuntimeError for a route of the API without a mark: neither public nor with roles.
    """
    document: dict[str, Any] = app.api_doc
    refused = {
        "description": "A problem (RFC 9457)",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    schemas = document["components"]["schemas"]
    for model in (Problem, FieldErrorDetail):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        schemas[model.__name__] = schema
    schemas.pop("ValidationErrorModel", None)
    for rule in app.url_map.iter_rules():
        operations = document["paths"].get(_template(rule.rule))
        if operations is None:
            continue
        view = app.view_functions[rule.endpoint]
        if not hasattr(view, "allowed_roles"):
            raise RuntimeError(f"{rule.rule} says neither `public` nor which roles may call it")
        for method, operation in operations.items():
            if method.upper() in (rule.methods or ()):
                _complete(operation, view.allowed_roles, refused)
    document["paths"] |= health_paths(health, refused)
    document["tags"].append({"name": TAG})
    document["components"]["headers"] = _HEADERS
    for operations in document["paths"].values():
        for operation in operations.values():
            _name_headers(operation)


def _complete(operation: dict[str, Any], allowed: tuple[str, ...], refused: Any) -> None:
    codes = ["422", "503"]
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
        codes += ["400", "413", "415"]
    if allowed:
        operation["security"] = [{"bearer": []}]
        operation["x-roles"] = list(allowed)
        text = operation.get("description", "")
        operation["description"] = f"{text}\n\nFor: {', '.join(allowed)}.".strip()
        codes += ["401", "403"]
    if any(p["in"] == "path" for p in operation.get("parameters", ())):
        codes.append("404")
    codes += [code for code in operation["responses"] if code >= "400"]
    operation["responses"].update(dict.fromkeys(codes, refused))


def _name_headers(operation: dict[str, Any]) -> None:
    """Says which headers each response has."""
    keyed = any(p["name"] == "Idempotency-Key" for p in operation.get("parameters", ()))
    cached = "304" in operation["responses"]
    for code, response in operation["responses"].items():
        names = ["X-Request-ID"]
        names += ["Retry-After"] if code in ("429", "503") else []
        names += ["WWW-Authenticate"] if code == "401" else []
        names += ["Idempotency-Replayed"] if keyed and code == "201" else []
        names += ["ETag", "Cache-Control"] if cached and code in ("200", "304") else []
        headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        operation["responses"][code] = {**response, "headers": headers}


def _header(description: str, kind: str = "string") -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}}


_HEADERS = {
    "X-Request-ID": _header("The id of the request, as it is in the log."),
    "Retry-After": _header("Seconds until the same may be sent again.", "integer"),
    "WWW-Authenticate": _header("Bearer"),
    "Idempotency-Replayed": _header("`true` on the answer to a key that came again."),
    "ETag": _header("The version of what was sent; ask with it as `If-None-Match`."),
    "Cache-Control": _header("How long it may be kept."),
}


def _template(rule: str) -> str:
    """`/orders/<int:order_id>` as OpenAPI writes it."""
    return rule.replace("<int:", "{").replace("<key:", "{").replace("<", "{").replace(">", "}")
