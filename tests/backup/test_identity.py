"""Two restaurants keep their backups in one folder and one bucket: neither takes the others."""

import re
from datetime import UTC, datetime

import psycopg2
import pytest

from posapp.backup.create import expired_backups
from posapp.backup.errors import BackupError, Refused
from posapp.backup.model.backup import Backup, BackupName
from posapp.backup.model.identity import Identity, ours
from posapp.backup.postgres.client import PostgresClient
from posapp.backup.postgres.installation import read_identity
from posapp.backup.storage.folder import FolderStorage
from posapp.backup.storage.lookup import find_backup
from tests.backup.kit import SMALL, context_on, make, manifest_for, rewrite, run_sql, settings_of
from tests.backup.kit import restore as restore_backup
from tests.docs.documents import text_of

NAME = BackupName(datetime(2025, 12, 26, 5, tzinfo=UTC), "daily")
OWN = Identity("0123456789abcdef", "pos", "71")


@pytest.fixture
def other(postgres, small):
    """Another restaurant, on the same server."""
    url = postgres.create(f"{small.database}_other")
    run_sql(url, SMALL)
    run_sql(url, "DELETE FROM bills WHERE id > 300")
    return url


@pytest.fixture
def restore(tmp_path, log, s3):
    """Restores into a database as the command does; `typed` is what is typed when it is asked."""

    def run(url, what="latest", typed=None):
        context = context_on(url, tmp_path, log, s3.bucket())
        backup = find_backup(what, settings_of(tmp_path, **s3.environ), context.own)

        def confirm_typed(question, word):
            if typed != word:
                raise Refused(question)

        return restore_backup(backup, context, confirm_typed=confirm_typed)

    return run


def bills(url):
    return run_sql(url, "SELECT count(*) FROM bills")[0][0]


def test_latest_is_our_own_however_new_the_others_are(small, other, tmp_path, log, clock, s3):
    mine = make("daily", context_on(small, tmp_path, log, s3.bucket()))
    clock.forward(hours=1)
    theirs = make("daily", context_on(other, tmp_path, log, s3.bucket()))
    settings = settings_of(tmp_path, **s3.environ)
    for url, backup in ((small, mine), (other, theirs)):
        own = read_identity(PostgresClient(url))
        assert backup.manifest.identity == own.id
        for what in ("latest", f"s3://{s3.name}", f"s3://{s3.name}/daily"):
            assert find_backup(what, settings, own).name.plain == backup.name
    with pytest.raises(Refused, match="backups of 2 restaurants"):
        find_backup("latest", settings, None)


@pytest.mark.deep
def test_two_restaurants_that_began_as_one_database_are_told_to_be_parted_and_a_move_is_none(
    small, postgres, tmp_path, log, clock, s3
):
    copy = postgres.create(f"{small.database}_copy", small.database)
    said = "Another database makes backups under this restaurant's identity"
    for url in (small, copy, copy, copy):  # it has moved
        make("daily", context_on(url, tmp_path, log, s3.bucket()))
        clock.forward(hours=1)
    assert said not in log.path.read_text()
    for url in (small, copy, small, copy):
        make("daily", context_on(url, tmp_path, log, s3.bucket()))
        clock.forward(hours=1)
    text = log.path.read_text()
    assert text.count(said) >= 1
    assert f"{copy.database} on the server " in text
    assert "the runbook has the statement, under Restoring" in text


def test_the_runbooks_statement_gives_a_copy_an_identity_of_its_own(postgres, template_database):
    (statement,) = re.findall(
        r"`(BEGIN; [^`]*installation[^`]*COMMIT)`", text_of("docs/runbook.md")
    )
    url = postgres.create("parted", template_database)
    try:
        before = read_identity(PostgresClient(url))
        run_sql(url, statement)
        after = read_identity(PostgresClient(url))
        assert after.id != before.id
        assert re.fullmatch(r"[0-9a-f]{16}", after.id)
        with pytest.raises(psycopg2.Error):
            run_sql(url, "UPDATE installation SET identity = DEFAULT")
    finally:
        postgres.drop("parted")


def test_where_only_others_have_backups_there_is_none(small, other, tmp_path, log):
    make("daily", context_on(other, tmp_path, log))
    with pytest.raises(Refused, match="no good backup of this restaurant"):
        find_backup("latest", settings_of(tmp_path), read_identity(PostgresClient(small)))


@pytest.mark.deep
def test_made_in_the_same_second_they_lie_beside_each_other_in_the_bucket(
    small, other, tmp_path, log, s3
):
    made = [
        make("daily", context_on(url, tmp_path / name, log, s3.bucket()))
        for url, name in ((small, "a"), (other, "b"))
    ]
    assert made[0].name == made[1].name
    there = s3.bucket().list_backups()
    assert {one.name.identity for one in there} == {one.manifest.identity for one in made}
    assert all(one.intact for one in there)
    settings = settings_of(tmp_path, **s3.environ)
    own = read_identity(PostgresClient(other))
    named = find_backup(f"s3://{s3.name}/{made[1].name.key}", settings, own)
    assert named.name.identity == own.id


@pytest.mark.deep
def test_rotation_and_the_usual_size_are_of_our_own_alone(small, other, tmp_path, log, clock):
    for _ in range(4):
        make("daily", context_on(other, tmp_path, log))
        clock.forward(minutes=1)
    theirs = [one.name for one in FolderStorage(tmp_path).list_backups()]
    run_sql(small, "DROP TABLE bills, guests")  # far less than half of what the others have
    clock.forward(days=60)
    make("daily", context_on(small, tmp_path, log))
    clock.forward(days=60)
    last = make("daily", context_on(small, tmp_path, log))
    found = [one.name for one in FolderStorage(tmp_path).list_backups()]
    assert found == [*theirs, last.name]
    context = context_on(small, tmp_path, log)
    own = context.own
    assert expired_backups(context.storage, context, own) == []


def test_anothers_is_restored_by_its_name_and_a_typed_confirmation(
    small, other, tmp_path, log, restore
):
    theirs = make("daily", context_on(other, tmp_path, log))
    with pytest.raises(Refused, match="a backup of another restaurant"):
        restore(small, theirs.location, typed="yes")
    assert bills(small) == 400
    restore(small, theirs.location, typed=str(theirs.name))
    assert bills(small) == 300
    assert read_identity(PostgresClient(small)).id == theirs.manifest.identity


def test_a_fresh_database_takes_any_and_is_that_restaurant_then(
    small, postgres, tmp_path, log, restore
):
    made = make("daily", context_on(small, tmp_path, log))
    fresh = postgres.create(f"{small.database}_fresh")
    restore(fresh)
    assert bills(fresh) == 400
    assert read_identity(PostgresClient(fresh)).id == made.manifest.identity


@pytest.mark.deep
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DROP TABLE alembic_version", "there is no POS in it"),
        ("UPDATE alembic_version SET version_num = '9999'", "its schema 9999 is not known"),
    ],
)
def test_what_is_no_pos_of_this_version_takes_the_place_of_nothing(
    small, other, tmp_path, log, restore, statement, message
):
    run_sql(other, f"DROP TABLE installation; {statement}")
    goods = make("daily", context_on(other, tmp_path, log))
    with pytest.raises(Refused, match=message):
        restore(small, goods.location, typed=str(goods.name))
    rewrite(goods, tmp_path, schema_revision="0001")
    with pytest.raises(BackupError, match=message):
        restore(small, goods.location, typed=str(goods.name))
    assert bills(small) == 400


def a_backup(identity="", **changes):
    name = BackupName(NAME.at, "daily", identity=identity)
    manifest = manifest_for(name.plain, **changes) if changes else None
    return Backup(name, 1, manifest, f"/b/daily/{name}")


@pytest.mark.parametrize(
    ("backup", "mine"),
    [
        (a_backup(identity=OWN.id), True),
        (a_backup(identity="f" * 16), False),
        (a_backup(identity="f" * 16, system_identifier=None, database="pos"), False),
        (a_backup(), False),
        (a_backup(database="pos", system_identifier="71"), True),
        (a_backup(database="pos", system_identifier="72"), False),
        (a_backup(database="shop", system_identifier="71"), False),
        (a_backup(database="pos"), False),
    ],
)
def test_a_backup_is_ours_by_what_it_states_or_by_database_and_server(backup, mine):
    assert OWN.owns(backup) == mine
    assert ours([backup], OWN) == ([backup] if mine else [])
    assert ours([backup], None) == [backup]
