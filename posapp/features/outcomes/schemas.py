"""The address of an act."""

from __future__ import annotations

from posapp.features.idempotency.service import Key
from posapp.http.schemas import InputModel


class OutcomePath(InputModel):
    key: Key
