"""Error tracking by Sentry. Without SENTRY_DSN nothing of it is imported."""

from __future__ import annotations

import logging
import sys
from typing import Any

from healthkit.masking import mask_value
from posapp.observability.context import request_id, user_id
from posapp.settings import Settings

log = logging.getLogger("posapp")

_KEPT = ("event_id", "timestamp", "start_timestamp", "type", "spans", "measurements")
"""Parts of an event that are the SDK's own, with types that masking would lose."""


def install(settings: Settings, release: str) -> None:
    """Starts error tracking where there is a DSN.

    Only the integrations in use: to import all that the SDK would look for costs a second.
    """
    if settings.sentry_dsn is None:
        return
    import sentry_sdk
    from sentry_sdk.integrations.atexit import AtexitIntegration
    from sentry_sdk.integrations.dedupe import DedupeIntegration
    from sentry_sdk.integrations.flask import FlaskIntegration
    from sentry_sdk.integrations.loguru import LoguruIntegration
    from sentry_sdk.integrations.sqlalchemy import SqlalchemyIntegration
    from sentry_sdk.integrations.stdlib import StdlibIntegration

    sentry_sdk.init(
        dsn=settings.sentry_dsn.get_secret_value(),
        release=f"steak-kenangan-pos@{release}",
        environment=settings.environment,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            FlaskIntegration(transaction_style="url"),
            SqlalchemyIntegration(),
            StdlibIntegration(),  # outgoing calls
            LoguruIntegration(event_level=None),  # breadcrumbs
            DedupeIntegration(),
            AtexitIntegration(callback=lambda pending, timeout: None),
        ],
        traces_sample_rate=settings.sentry_traces_sample_rate,
        before_send=_before_send,
        before_send_transaction=_before_send,
        before_breadcrumb=lambda crumb, hint: mask_value(crumb),
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
    )
    log.info("Sentry error tracking is on (%s)", settings.environment)


def capture(error: BaseException) -> None:
    """Reports an error that has been answered with 500."""
    sdk: Any = sys.modules.get("sentry_sdk")
    if sdk is not None and sdk.get_client().is_active():
        sdk.capture_exception(error)


def _before_send(event: Any, hint: Any) -> Any:
    """Nothing secret leaves, nobody is named, and the request can be found in the logs."""
    masked = {name: value if name in _KEPT else mask_value(value) for name, value in event.items()}
    for span in masked.get("spans") or ():
        span["description"] = mask_value(span.get("description"))
        span["data"] = mask_value(span.get("data"))
    if (known := request_id.get()) is not None:
        masked["tags"] = {**(masked.get("tags") or {}), "request_id": known}
    user = user_id.get()
    masked["user"] = {"id": str(user)} if user is not None else {}
    return masked
