"""Reads a dump's gzip to its end while it is written: whether it is whole, what is in it, and how
that ends. With the checksum of the file, read once it is written, that proves the file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from typing import Any

from isal import isal_zlib

from posapp.backup.compression import BLOCK, TrailerCheck
from posapp.backup.errors import BackupError

_WAITING = 8
"""Blocks that are written and not yet read."""
_GZIP = 31
"""In zlib's numbers: with a header and a checksum at its end."""


class GzipCheck:
    """A sink that passes on what is written to it, and reads it in a thread of its own. Context
    manager: at its end, all is written."""

    def __init__(self, sink: Any) -> None:
        self._sink = sink
        self._blocks: Queue[bytes | None] = Queue(_WAITING)
        self._reader = ThreadPoolExecutor(1)
        self._reading = self._reader.submit(self._read)

    def __enter__(self) -> GzipCheck:
        return self

    def __exit__(self, *_: object) -> None:
        self._blocks.put(None)
        self._reader.shutdown()

    def write(self, block: Any) -> int:
        self._sink.write(block)
        self._blocks.put(bytes(block))
        return len(block)

    def flush(self) -> None:
        self._sink.flush()

    def result(self) -> int:
        """Returns the bytes of SQL, when all is written. Raises BackupError for gzip that is not
        whole, and for SQL without pg_dump's closing line at its end."""
        trailer = self._reading.result()
        if not trailer.complete:
            raise BackupError("what was compressed is not whole: pg_dump's closing line is missing")
        return trailer.size

    def _read(self) -> TrailerCheck:
        """Takes blocks after an error too: whoever writes waits for nobody. Raises BackupError."""
        trailer, gzip, problem = TrailerCheck(), isal_zlib.decompressobj(_GZIP), ""
        while (block := self._blocks.get()) is not None:
            if problem or not block:
                continue
            try:
                if gzip.eof:
                    problem = "there is more after its end"
                else:
                    _read_block(gzip, block, trailer)
            except Exception as error:  # noqa: BLE001  whatever it is, it is not whole
                problem = str(error) or type(error).__name__
        if not problem and (not gzip.eof or gzip.unused_data):
            problem = "it ends elsewhere than it should"
        if problem:
            raise BackupError(f"what was compressed is broken: {problem}")
        return trailer


def _read_block(gzip: Any, block: bytes, trailer: TrailerCheck) -> None:
    """Reads a block, however large what is in it becomes, a part at a time."""
    while True:
        content = gzip.decompress(block, BLOCK)
        trailer.add(content)
        block = gzip.unconsumed_tail
        if gzip.eof or (not block and len(content) < BLOCK):
            return
