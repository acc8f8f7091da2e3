"""The storage of the device: what has come there, and what waits for another tab."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

# A transaction of its own comes after every one that was begun before.
LOOK = """
(action) => new Promise((done) => {
  const asked = indexedDB.open("kenangan");
  asked.onsuccess = () => {
    const database = asked.result;
    const act = database.transaction(["drafts", "outgoing"], "readwrite");
    act.oncomplete = () => { database.close(); done(); };
    const drafts = act.objectStore("drafts");
    if (action !== "hold") return void drafts.count();
    globalThis.releaseStorage = () => new Promise((free) => {
      globalThis.released = true;
      act.addEventListener("complete", free);
    });
    const again = () => { if (!globalThis.released) drafts.count().onsuccess = again; };
    again();
    done();
  };
})
"""


def await_kept(page: Page) -> None:
    """Waits until what was tapped lies on the device: a reload would come before it."""
    page.evaluate(LOOK, "wait")


@contextmanager
def held_storage(page: Page) -> Iterator[None]:
    """Another tab writes all the while, and nothing else is kept."""
    other = page.context.new_page()
    other.goto("/livez")
    other.evaluate(LOOK, "hold")
    try:
        yield
    finally:
        other.evaluate("releaseStorage()")
        other.close()
