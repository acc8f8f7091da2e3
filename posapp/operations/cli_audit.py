"""The command `posapp audit`."""

from __future__ import annotations

import json
import os
from typing import Any

import click
from pydantic import ValidationError

from healthkit.cli import format_table
from posapp import JAKARTA
from posapp.database.engine import open_session
from posapp.database.schema import require_schema
from posapp.http.errors import ApiError
from posapp.http.field_messages import field_message
from posapp.operations import audit as log
from posapp.runtime import postgres
from posapp.runtime.errors import CommandError
from posapp.settings import Settings


class AuditError(CommandError):
    """The audit log cannot be read as asked; one line that says why."""


@click.command()
@click.option("--user", metavar="NAME", help="Only what this account did.")
@click.option("--action", metavar="ACTION", help="Only this: payment.taken, or sign_in.*")
@click.option("--entity", metavar="KIND", help="Only what was done to one: order, payment, user.")
@click.option("--since", metavar="TIME", help="From then on: 2026-11-25T18:00:00+07:00")
@click.option("--until", metavar="TIME", help="Before then.")
@click.option("--cursor", type=int, metavar="N", help="The next page, as the last one names it.")
@click.option("--limit", type=int, default=50, show_default=True, help="Entries of a page.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, as the API answers.")
def audit(as_json: bool, **filters: Any) -> None:
    """Show who did what to money and rights, the newest first."""
    settings = Settings.from_env(os.environ)
    try:
        query = log.AuditQuery(
            **{name: value for name, value in filters.items() if value is not None}
        )
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        raise AuditError(f"--{fault['loc'][0]}: {field_message(fault)}") from None
    with postgres.use_database(settings) as url:
        require_schema(url, settings)
        try:
            with open_session(url, settings) as session:
                page = log.read(session, query)
        except ApiError as error:
            raise AuditError(error.detail) from None
    click.echo(page.model_dump_json(indent=1) if as_json else _table(page))


def _table(page: log.AuditPage) -> str:
    rows = [
        (
            entry.at.astimezone(JAKARTA).strftime("%Y-%m-%d %H:%M:%S"),
            entry.user or "-",
            entry.action,
            f"{entry.entity} {entry.entity_id}",
            json.dumps(entry.details, sort_keys=True),
        )
        for entry in page.entries
    ]
    table = format_table([("time (WIB)", "who", "action", "what", "details"), *rows])
    return f"{table}\nmore: --cursor {page.next}" if page.next else table


COMMANDS = (audit,)
