"""The check type `backup-freshness`: the newest backup is fresh, whole and proven."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from importlib.util import find_spec
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, PrivateAttr, SecretStr, ValidationInfo, field_validator

from healthkit import Check, CheckContext, Outcome, hookimpl
from healthkit.fields import PositiveDuration, Size
from healthkit_backup_freshness.catalogue import BackupSource, SourceError
from healthkit_backup_freshness.evaluation import FreshnessRules, evaluate_all
from healthkit_backup_freshness.folder import FolderSource

S3 = "s3://"


def _location(value: str) -> str:
    if not value.strip():
        raise ValueError("missing; write a folder, or s3://bucket/prefix")
    if value.startswith(S3):
        if not value.removeprefix(S3).strip("/"):
            raise ValueError(f"{value!r} names no bucket; write it like s3://bucket/daily")
        if find_spec("boto3") is None:
            raise ValueError("S3 needs boto3: pip install healthkit-backup-freshness[s3]")
    return value


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not a time zone; write it like Asia/Jakarta")
    return name


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""


def _empty(secret: SecretStr | None) -> bool:
    return not _text(secret)


class BackupFreshness(Check):
    """Whether the newest backup at `location`, a folder or `s3://bucket/prefix`, is good.

    The endpoint and the keys are those of S3; left out or empty, boto3 finds its own.
    """

    location: Annotated[str, AfterValidator(_location)]
    """A folder, or `s3://bucket/prefix`."""
    max_age: PositiveDuration = timedelta(hours=26)
    """The age of the newest from which it is unhealthy."""
    min_size: Size = 1_000_000
    """The size below which one is no backup."""
    pattern: str = Field(default="*.dump.gz", min_length=1)
    """The names of backups in it, as shells write them."""
    timezone: Annotated[str, AfterValidator(_zone)] = "Asia/Jakarta"
    """The zone of the times in those names."""
    max_restore_age: PositiveDuration = timedelta(days=35)
    """The time since one was last proven by a restore from which it is degraded."""
    identity: str | None = Field(default=None, min_length=1, max_length=200)
    """Whose backups count, where several keep theirs here; else all are looked at, each alone."""
    endpoint: str | None = Field(default=None, pattern=r"^(https?://\S+)?$")
    """The address of an S3 that is not Amazon's."""
    access_key: SecretStr | None = None
    """The id of the key to S3."""
    secret_key: SecretStr | None = Field(default=None, validate_default=True)
    """The secret of the key to S3."""
    _place: BackupSource | None = PrivateAttr(default=None)

    @field_validator("secret_key", mode="after")
    @classmethod
    def _with_its_other_half(
        cls, secret: SecretStr | None, info: ValidationInfo
    ) -> SecretStr | None:
        if _empty(secret) != _empty(info.data.get("access_key")):
            raise ValueError("access_key and secret_key go together; one of them is missing")
        return secret

    def run(self, context: CheckContext) -> Outcome:
        place = self._place = self._place or self._open(context.timeout)
        try:
            backups = place.backups(self.pattern, ZoneInfo(self.timezone))
        except SourceError as error:
            return Outcome.unhealthy(str(error))
        rules = FreshnessRules(self.max_age, self.min_size, self.max_restore_age)
        return evaluate_all(backups, context.now, rules, self.identity)

    def target(self) -> str:
        return self.location

    def close(self) -> None:
        if self._place is not None:
            self._place.close()
            self._place = None

    def _open(self, timeout: float) -> BackupSource:
        if not self.location.startswith(S3):
            return FolderSource(self.location)
        # boto3 takes half a second to import: only a configured bucket pays for it.
        from healthkit_backup_freshness.s3 import S3Source

        bucket, _, prefix = self.location.removeprefix(S3).partition("/")
        keys = (_text(self.access_key), _text(self.secret_key))
        return S3Source(bucket, prefix, self.endpoint, keys, timeout)


@hookimpl
def healthkit_check_types() -> Mapping[str, type[Check]]:
    return {"backup-freshness": BackupFreshness}
