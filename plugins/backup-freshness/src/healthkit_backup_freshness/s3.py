"""Backups in an S3 bucket, or in what speaks like one (R2, MinIO)."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSLError,
)
from botocore.utils import parse_timestamp

from healthkit_backup_freshness.catalogue import (
    LARGEST_MANIFEST,
    MANIFEST,
    BackupFile,
    SourceError,
    backup,
    is_backup,
    series,
    stamp,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_READERS = 8
"""Manifests that are fetched at once."""
_LOOKED_AT = 30
"""The newest of each series, of which the manifests are read: each carries on what those before it
have proven. A bucket that nobody may empty has thousands."""
_OF_ALL = frozenset(
    {"NoSuchBucket", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"}
    | {"RequestTimeTooSkewed", "AuthorizationHeaderMalformed", "PermanentRedirect"}
    | {"SlowDown", "TooManyRequests", "Throttling", "ThrottlingException", "RequestTimeout"}
)
"""Errors of a request that any other would have too."""
_REFUSED = frozenset({"403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"})


class _Object(NamedTuple):
    key: str
    etag: str
    size: int
    modified: datetime


class S3Source:
    """The objects right under a prefix. `keys` are the access key and its secret; empty
    ones leave the credentials to boto3; `timeout`, in
    seconds, bounds each connect and each read."""

    def __init__(
        self,
        bucket: str,
        prefix: str,
        endpoint: str | None,
        keys: tuple[str, str],
        timeout: float,
    ) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._endpoint = endpoint
        self._keys = keys
        self._timeout = timeout
        self._client: S3Client | None = None
        self._process = os.getpid()
        self._manifests: dict[tuple[str, str], bytes] = {}
        """By key and ETag: a manifest is fetched once for each of its versions."""

    def backups(self, pattern: str, zone: ZoneInfo) -> Sequence[BackupFile]:
        try:
            client = self._own_client()
            objects = {item.key: item for item in self._list(client)}
            self._fetch_manifests(client, objects, self._newest(objects, pattern, zone))
        except (BotoCoreError, ClientError) as error:
            raise SourceError(describe_error(error, self._timeout)) from None
        found = []
        for key, item in objects.items():
            name = key.removeprefix(self._prefix)
            if is_backup(name, pattern):
                beside = objects.get(key + MANIFEST)
                found.append(self._backup(name, item, beside, zone))
        return found

    def _own_client(self) -> S3Client:
        """Returns the client of this process: one that a fork has copied is in its parent's
        connections."""
        if self._client is None or self._process != os.getpid():
            self._client = s3_client(self._endpoint, self._keys, self._timeout)
            self._process = os.getpid()
        return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _list(self, client: S3Client) -> Iterator[_Object]:
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix, Delimiter="/"
        )
        for page in pages:
            for item in page.get("Contents", ()):
                yield _Object(item["Key"], item["ETag"], item["Size"], item["LastModified"])

    def _newest(
        self, objects: Mapping[str, _Object], pattern: str, zone: ZoneInfo
    ) -> Iterator[str]:
        """Yields the keys of the newest backups of each series: of those whose names differ by
        their time alone."""
        found: dict[str, list[tuple[datetime, str]]] = {}
        for key, item in objects.items():
            name = key.removeprefix(self._prefix)
            if is_backup(name, pattern):
                at = stamp(name, zone) or item.modified
                found.setdefault(series(name), []).append((at, key))
        for one in found.values():
            yield from (key for _, key in sorted(one)[-_LOOKED_AT:])

    def _fetch_manifests(
        self, client: S3Client, objects: Mapping[str, _Object], of: Iterable[str]
    ) -> None:
        """Fetches what is new and forgets what is gone."""
        beside = (objects.get(key + MANIFEST) for key in of)
        wanted = {(one.key, one.etag) for one in beside if one is not None}
        new = sorted(wanted - self._manifests.keys())
        with ThreadPoolExecutor(_READERS) as readers:
            bodies = list(readers.map(lambda version: self._fetch(client, version[0]), new))
        for version, body in zip(new, bodies, strict=True):
            if body is not None:
                self._manifests[version] = body
        for version in self._manifests.keys() - wanted:
            del self._manifests[version]

    def _fetch(self, client: S3Client, key: str) -> bytes | None:
        """Returns a manifest; b"" for one that is refused, which must not hide the others."""
        try:
            body = client.get_object(Bucket=self._bucket, Key=key)["Body"]
            return body.read(LARGEST_MANIFEST + 1)
        except client.exceptions.NoSuchKey:
            return None  # a rotation has taken it away meanwhile
        except ClientError as error:
            if not is_of_one_object(error):
                raise
            return b""

    def _backup(
        self, name: str, item: _Object, beside: _Object | None, zone: ZoneInfo
    ) -> BackupFile:
        """A manifest was written before the upload; that the object is here is the upload."""
        body = self._manifests.get((beside.key, beside.etag)) if beside else None
        found = backup(name, item.size, item.modified, body, zone)
        if found.manifest is None or found.manifest.uploaded_at is not None:
            return found
        manifest = found.manifest.model_copy(update={"uploaded_at": item.modified})
        return replace(found, manifest=manifest)


def s3_client(
    endpoint: str | None, keys: tuple[str, str], timeout: float, attempts: int = 1
) -> S3Client:
    """A client for S3, or for the endpoint that speaks like it. Empty keys leave the credentials
    to boto3; `timeout`, in seconds, bounds each connect and each read."""
    core = botocore.session.get_session()
    parsers = core.get_component("response_parser_factory")
    parsers.set_parser_defaults(timestamp_parser=_timestamp)
    session = boto3.session.Session(keys[0] or None, keys[1] or None, botocore_session=core)
    config = Config(
        connect_timeout=timeout,
        read_timeout=timeout,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        # R2 and MinIO know a bucket by its path under any name of the server.
        s3={"addressing_style": "path"} if endpoint else {},
        # Not all that speak like S3 know its newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    # A region is needed to sign; AWS redirects when it is another.
    region = session.region_name or "us-east-1"
    return session.client("s3", endpoint_url=endpoint or None, region_name=region, config=config)


def _timestamp(value: str) -> datetime:
    """Parses a time as S3 writes it, into each of thousands of entries: botocore's own parser,
    which knows all forms, takes half of a list's time."""
    with suppress(TypeError, ValueError):  # other services answer with numbers
        found = datetime.fromisoformat(value)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return parse_timestamp(value)


def _cause(error: BaseException) -> str:
    """Returns why no connection came about; the outer texts repeat the address."""
    while isinstance(inner := getattr(error, "kwargs", {}).get("error"), BaseException):
        error = inner
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    if isinstance(error, socket.gaierror):
        return "host name not known"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return f"the connection failed ({type(error).__name__})"


def is_of_one_object(error: ClientError) -> bool:
    """Whether an object is refused and nothing is said of the bucket: it is archived, another's, or
    encrypted with a key of its own."""
    code = str(error.response.get("Error", {}).get("Code"))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return 400 <= status < 500 and code not in _OF_ALL


def describe_error(error: Exception, timeout: float) -> str:
    """Returns why a request to S3 failed, without its address and keys."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", "an error"))
        if code in ("NoSuchBucket", "404"):
            return "the bucket does not exist"
        return f"S3 refuses the credentials ({code})" if code in _REFUSED else f"S3: {code}"
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return "there are no credentials for S3"
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return f"S3 gave no answer within {timeout:g}s"
    if isinstance(error, SSLError):
        return "S3's certificate is not trusted"
    if isinstance(error, EndpointConnectionError | HTTPClientError):
        return f"S3: {_cause(error)}"
    return f"S3: {type(error).__name__}"
