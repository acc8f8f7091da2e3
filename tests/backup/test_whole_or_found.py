"""A backup whose bytes are not those that were written is found, and is not the latest."""

import gzip
import json
from pathlib import Path

import pyrage
import pytest

from posapp.backup.errors import BackupError, Refused
from posapp.backup.storage.lookup import find_backup
from tests.backup.kit import context_on, make, settings_of, verify
from tests.backup.test_make_backup import NAME


@pytest.fixture
def made(small, tmp_path, log):
    return make("daily", context_on(small, tmp_path, log))


def test_one_that_is_whole_is_verified(made, tmp_path):
    settings = settings_of(tmp_path)
    assert (
        find_backup("latest", settings)
        == find_backup(made.location, settings)
        == find_backup(NAME, settings)
    )
    verify(find_backup("latest", settings), settings)


def test_a_changed_bit_anywhere_is_found(made, tmp_path):
    path = Path(made.location)
    whole = path.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with pytest.raises(BackupError):
            verify(made, settings_of(tmp_path))


@pytest.mark.parametrize("left", [0, 1, 10, 500, -1])
def test_a_truncated_one_is_found_and_is_not_the_latest(made, tmp_path, left):
    path = Path(made.location)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(BackupError):
        verify(made, settings_of(tmp_path))
    with pytest.raises(Refused, match="there is no good backup"):
        find_backup("latest", settings_of(tmp_path))


def test_one_that_breaks_off_but_is_whole_gzip_is_found(made, tmp_path):
    path = Path(made.location)
    sql = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(sql[: len(sql) // 2]))
    with pytest.raises(BackupError, match="closing line is missing"):
        verify(made, settings_of(tmp_path))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sha256", "0" * 64, "SHA-256"),
        ("size_bytes", 7, "bytes"),
        ("sql_bytes", 7, "bytes of SQL"),
        ("file", "other", "file"),
        ("kind", "weekly", "kind"),
    ],
)
def test_a_manifest_that_disagrees_is_found(made, tmp_path, key, value, message):
    path = tmp_path / "daily" / made.name.manifest
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(BackupError, match=f"its manifest disagrees: {message} "):
        verify(find_backup(made.location, settings_of(tmp_path)), settings_of(tmp_path))


def test_a_manifest_that_is_none_is_not_taken_for_one(made, tmp_path):
    path = tmp_path / "daily" / made.name.manifest
    path.write_text("{")
    with pytest.raises(BackupError, match="no manifest"):
        verify(find_backup(made.location, settings_of(tmp_path)), settings_of(tmp_path))


@pytest.mark.parametrize(
    "what",
    ["/etc/passwd", "../../etc/passwd", "s3://", "nothing.dump.gz", f"{NAME}\n", "-rf", "."],
)
def test_a_name_that_is_an_attack_is_refused(made, tmp_path, what):
    with pytest.raises(Refused):
        find_backup(what, settings_of(tmp_path))


# Encryption


@pytest.fixture
def key(tmp_path):
    """A key of age, and the file of its secret half."""
    secret = pyrage.x25519.Identity.generate()
    file = tmp_path / "age.key"
    file.write_text(f"# created: today\n{secret}\n")
    return secret, file


def test_an_encrypted_one_is_opened_by_its_key_alone(small, tmp_path, log, key):
    secret, file = key
    backup = make("daily", context_on(small, tmp_path, log, recipient=secret.to_public()))
    assert backup.location.endswith(".dump.gz.age")
    assert backup.manifest.encrypted
    content = Path(backup.location).read_bytes()
    assert content.startswith(b"age-encryption.org/v1")
    text = gzip.decompress(pyrage.decrypt(content, [secret]))
    assert b"PostgreSQL database dump complete" in text
    verify(backup, settings_of(tmp_path, BACKUP_AGE_IDENTITY=str(file)))
    file.write_text(str(pyrage.x25519.Identity.generate()))
    with pytest.raises(BackupError, match="does not open it"):
        verify(backup, settings_of(tmp_path, BACKUP_AGE_IDENTITY=str(file)))
    with pytest.raises(Refused, match="BACKUP_AGE_IDENTITY has to name"):
        verify(backup, settings_of(tmp_path))


@pytest.mark.parametrize("before", ["", "AGE-SECRET-KEY-1DAMAGED\n", "\ufeff# of old\r\n"])
def test_one_from_before_the_key_was_changed_is_opened_by_a_file_with_both(
    small, tmp_path, log, key, before
):
    secret, file = key
    backup = make("daily", context_on(small, tmp_path, log, recipient=secret.to_public()))
    newer = pyrage.x25519.Identity.generate()
    settings = settings_of(tmp_path, BACKUP_AGE_IDENTITY=str(file))
    for keys in ((newer, secret), (secret, newer)):
        file.write_text(before + "\n".join(map(str, keys)))
        verify(backup, settings)
    file.write_text("AGE-SECRET-KEY-1DAMAGED\n")
    with pytest.raises(Refused, match="no key of age in it"):
        verify(backup, settings)


def test_a_changed_bit_in_an_encrypted_one_is_found(small, tmp_path, log, key):
    secret, file = key
    backup = make("daily", context_on(small, tmp_path, log, recipient=secret.to_public()))
    path = Path(backup.location)
    whole = path.read_bytes()
    settings = settings_of(tmp_path, BACKUP_AGE_IDENTITY=str(file))
    for at in range(0, len(whole), max(1, len(whole) // 20)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(BackupError):
            verify(backup, settings)


def test_one_of_a_clock_that_was_ahead_is_the_latest_only_where_there_is_no_other(
    small, tmp_path, log, clock, s3
):
    context = context_on(small, tmp_path, log, s3.bucket())
    clock.forward(days=400)
    ahead = make("daily", context)
    clock.forward(days=-400)
    settings = settings_of(tmp_path, **s3.environ)
    for what in ("latest", f"s3://{s3.name}", f"s3://{s3.name}/daily"):
        assert find_backup(what, settings, now=clock.now()).name.plain == ahead.name
    older, newer = make("daily", context), make("weekly", context)
    for what, backup in (
        ("latest", newer),
        (f"s3://{s3.name}", newer),
        (f"s3://{s3.name}/daily", older),
    ):
        assert find_backup(what, settings, now=clock.now()).name.plain == backup.name
