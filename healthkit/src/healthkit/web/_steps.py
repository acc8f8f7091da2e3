"""Follows a response's steps on an event loop, where the responder only says how long to sleep."""

from __future__ import annotations

import asyncio

from healthkit._rendering import RenderedResponse
from healthkit.web._responder import Steps


async def follow(steps: Steps) -> RenderedResponse | None:
    """Returns the response when it is there; None where the path is the application's."""
    while True:
        try:
            pause = next(steps)
        except StopIteration as end:
            found: RenderedResponse | None = end.value
            return found
        await asyncio.sleep(pause)
