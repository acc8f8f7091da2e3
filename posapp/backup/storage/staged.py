"""An upload that nobody sees yet: its parts are sent while the file is verified, and only when that
has succeeded does the object appear, at once and whole; else it never does."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from posapp.backup.errors import BackupError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART = 8 << 20
"""Bytes of one part of an upload."""
MOST_PARTS = 10_000
"""Of one upload, as S3 has it."""
_SENDERS = 3


@dataclass(frozen=True)
class Sent:
    """The parts that have arrived: SHA-256 and ETag of what was sent."""

    parts: list[CompletedPartTypeDef]
    sha256: str
    etag: str


class StagedUpload:
    """Sends a file in parts, from the beginning of its life on, in threads of its own. Whoever has
    begun it ends it, by `complete` or by `abort`."""

    def __init__(
        self, client: S3Client, bucket: str, key: str, path: Path, metadata: Mapping[str, str]
    ) -> None:
        self.key = key
        self._client = client
        self._bucket = bucket
        self._metadata = dict(metadata)
        self._file = path.open("rb")  # now: it is renamed when it has been verified
        self._id: str | None = None
        self._stopped = threading.Event()
        self._sender = ThreadPoolExecutor(1)
        self._sending = self._sender.submit(self._send)

    def complete(self) -> Sent:
        """Waits for the parts, and has the object appear. Raises BackupError where what was sent is
        not what was verified, and boto's errors."""
        sent = self._sending.result()
        if sent.sha256 != self._metadata["sha256"]:
            raise BackupError(f"{self.key}: is no longer what was verified; it is not uploaded")
        assert self._id is not None
        self._client.complete_multipart_upload(
            Bucket=self._bucket,
            Key=self.key,
            UploadId=self._id,
            MultipartUpload={"Parts": sent.parts},
        )
        self._id = None
        return sent

    def abort(self) -> None:
        """Stops sending, and has what has arrived thrown away; nothing for what is complete. Raises
        nothing: what is left unfinished is removed after a day."""
        self._stopped.set()
        self._sender.shutdown()
        if self._id is not None:
            with suppress(BotoCoreError, ClientError, Boto3Error):
                self._client.abort_multipart_upload(
                    Bucket=self._bucket, Key=self.key, UploadId=self._id
                )
            self._id = None

    def _send(self) -> Sent:
        """Sends all parts, a few at once; each is read once."""
        whole, digests = hashlib.sha256(), b""
        waiting: deque[Future[CompletedPartTypeDef]] = deque()
        parts: list[CompletedPartTypeDef] = []
        with self._file as file, ThreadPoolExecutor(_SENDERS) as senders:
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=self.key, Metadata=self._metadata
            )
            self._id = begun["UploadId"]
            while not self._stopped.is_set() and (block := file.read(PART)):
                whole.update(block)
                digests += hashlib.md5(block, usedforsecurity=False).digest()
                if len(waiting) == _SENDERS:
                    parts.append(waiting.popleft().result())
                number = len(parts) + len(waiting) + 1
                waiting.append(senders.submit(self._send_part, self._id, number, block))
            parts += [one.result() for one in waiting]
        etag = hashlib.md5(digests, usedforsecurity=False).hexdigest()
        return Sent(parts, whole.hexdigest(), f"{etag}-{len(parts)}")

    def _send_part(self, upload: str, number: int, block: bytes) -> CompletedPartTypeDef:
        answer = self._client.upload_part(
            Bucket=self._bucket, Key=self.key, UploadId=upload, PartNumber=number, Body=block
        )
        return {"ETag": answer["ETag"], "PartNumber": number}
