"""The Flask application, wired from its features."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from flask import Flask
from flask_openapi3 import Info, OpenAPI
from pydantic import SecretStr
from sqlalchemy.engine import URL

import posapp
from healthkit import SYSTEM_CLOCK, Clock, Health
from healthkit.web import flask as healthkit_flask
from healthkit.web.access import local_or_token
from posapp.database.engine import open_session
from posapp.features.auth import routes as auth
from posapp.features.auth import tokens
from posapp.features.catalog import routes as catalog
from posapp.features.catalog.cache import MenuCache
from posapp.features.catalog.middleware import CachedMenuMiddleware
from posapp.features.clock import guard
from posapp.features.clock import routes as clock_routes
from posapp.features.orders import routes as orders
from posapp.features.outcomes import routes as outcomes
from posapp.features.payments import routes as payments
from posapp.features.reports import routes as reports
from posapp.features.restaurant import routes as restaurant
from posapp.http import (
    access,
    crowding,
    documentation,
    frontend,
    openapi,
    path_ids,
    problems,
    request_time,
    retries,
    transactions,
)
from posapp.http.body import (
    MAX_BODY_BYTES,
    RequestBodyMiddleware,
    refuse_doubled_key,
    refuse_doubled_query,
    validate_json_body,
)
from posapp.http.cors import CorsMiddleware
from posapp.http.proxies import NamedProxies
from posapp.http.security_headers import SecurityHeadersMiddleware
from posapp.observability import error_tracking, metrics, query_log, tracing
from posapp.observability.request_log import Application, RequestLogMiddleware
from posapp.operations import health
from posapp.operations import routes as observability
from posapp.operations.link_acts import LinkActs
from posapp.operations.pruning import Pruner, beat_of
from posapp.runtime.dev_secret import development_secret
from posapp.settings import Settings, SettingsError

HEALTH_PATHS = {
    "/health": "json",
    "/livez": "live",
    "/readyz": "ready",
    "/startupz": "startup",
    f"{access.API_PREFIX}/health": "api",
}
FEATURES = (
    auth.api,
    catalog.api,
    orders.tables_api,
    orders.api,
    payments.api,
    outcomes.api,
    reports.api,
    restaurant.api,
    clock_routes.api,
    observability.api,
)
DESCRIPTION = """The API of the restaurant's tills and screens.

Money is whole rupiah. Times are UTC. Errors are RFC 9457 problems, with `errors` per field for bad
input. Sign in, and send the access token as `Authorization: Bearer …`."""


def create_app(
    settings: Settings | None = None, url: URL | None = None, clock: Clock = SYSTEM_CLOCK
) -> Flask:
    """The application on the database that `url` or the settings name.

    Raises SettingsError when there is none, and ConfigError for mistakes in healthkit.toml.
    """
    settings = settings or Settings.from_env(os.environ)
    url = url or settings.database
    if url is None:
        raise SettingsError(("DATABASE_URL: missing; set it, or start with: posapp demo",))
    error_tracking.install(settings, posapp.__version__)
    app = create_api(settings)
    request_time.install(app, clock)
    guard.install(app, clock)
    engine = transactions.install(app, url, settings)
    logs = settings.pos_data_dir / "log"
    metrics.watch_pool(engine, settings.db_max_open_conns)
    query_log.install(engine, settings.slow_query_ms / 1000, settings.slow_query_plan)
    menu = catalog.install(app, clock.monotonic)
    address = url.render_as_string(hide_password=False)
    found = Health.from_file(
        settings.healthkit_config,
        environ={**os.environ, "DATABASE_URL": address},
        resources={"database": {"engine": engine}},
        renderers={"api": health.api_page},
        plugins=[LinkActs(partial(open_session, url, settings), clock)],
    )
    app.extensions["posapp.pruner"] = Pruner(engine, clock, logs, beat_of(found))
    if tracing.wanted(os.environ):
        tracing.install(app, engine, posapp.__version__)
        _wrap(app, settings, None)  # a trace begins in Flask, so every request goes there
    else:
        _wrap(app, settings, menu)
    token = settings.health_token
    sees_details = local_or_token(token.get_secret_value() if token else None)
    app.extensions[observability.SEES_DETAILS] = sees_details
    healthkit_flask.mount(app, found, HEALTH_PATHS, sees_details)
    _wrap_all(app, settings)
    return app


def _wrap_all(app: Flask, settings: Settings) -> None:
    """The WSGI layers around whatever answers, health too, from the inside out."""
    wsgi: Application = CorsMiddleware(app.wsgi_app, settings.cors_allowed_origins)
    wsgi = SecurityHeadersMiddleware(wsgi)
    if settings.trusted_proxies:
        wsgi = NamedProxies(wsgi, settings.trusted_proxies, settings.proxy_networks)
    app.wsgi_app = wsgi  # type: ignore[method-assign]


def _wrap(app: Flask, settings: Settings, menu: MenuCache | None) -> None:
    """The WSGI layers of Flask's own requests, from the inside out."""
    wsgi: Application = app.wsgi_app
    if menu is not None:
        wsgi = CachedMenuMiddleware(wsgi, menu, f"{access.API_PREFIX}{catalog.MENU}")
    wsgi = RequestLogMiddleware(RequestBodyMiddleware(wsgi), problems.unexpected)
    app.wsgi_app = wsgi  # type: ignore[method-assign]


def create_api(settings: Settings) -> OpenAPI:
    """The application with all its routes, without a database: enough for its documentation."""
    app = OpenAPI(
        "posapp",
        info=Info(title="Steak Kenangan POS", version=posapp.__version__, description=DESCRIPTION),
        security_schemes={"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        validation_error_callback=problems.validation_problem,
        doc_prefix=access.API_PREFIX,
        doc_ui=settings.api_docs,
        static_folder=None,
    )
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    path_ids.install(app)
    app.extensions["posapp.settings"] = settings
    secret = settings.jwt_secret
    tokens.install(
        app,
        secret.get_secret_value() if secret else development_secret(settings.pos_data_dir),
        settings.jwt_expiration,
    )
    app.before_request(problems.refuse_unknown_address)
    access.install(app, tokens.authenticate)
    app.before_request(refuse_doubled_key)
    app.before_request(refuse_doubled_query)
    app.before_request(validate_json_body)
    problems.install(app)
    retries.install(app)
    crowding.install(app, settings.db_max_open_conns)
    for feature in FEATURES:
        app.register_api(feature, url_prefix=access.API_PREFIX)
    if settings.api_docs:
        docs = app.view_functions["swagger.swagger"]
        app.add_url_rule(f"{access.API_PREFIX}/docs", "docs", docs)
        documentation.install(app)
    app.register_blueprint(observability.pages)
    frontend.install(app, settings)
    openapi.complete_document(app, HEALTH_PATHS)
    return app


def openapi_document() -> dict[str, Any]:
    """The OpenAPI 3.1 document, made from the code alone."""
    # A secret of its own, so that asking for the document writes no file.
    document: dict[str, Any] = create_api(
        Settings(jwt_secret=SecretStr("no token is made"))
    ).api_doc
    return document
