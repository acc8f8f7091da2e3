"""What is received is signed beside it, and nothing else is given to a server or sent."""

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyrage import x25519

from posapp.backup import fetching, received, segments
from posapp.backup.keeping import Keeping
from posapp.backup.signed_copy import Changed, Copy, copy_signed
from posapp.backup.signing import SigningKey
from posapp.backup.wal_signing import Signer, WalKey, all_signed, beside, make_plan
from tests.backup.kit import KEY, context_on

SIZE = 1 << 20
NAME, NEXT = "000000010000000000000007", "000000010000000000000008"
BEGIN = 7 * SIZE
FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SECRET = x25519.Identity.generate()


@pytest.fixture
def key():
    return WalKey(SigningKey(KEY), "4711")


def segment(seed=0):
    return hashlib.shake_128(bytes([seed])).digest(SIZE)


def put(folder, name, content):
    (folder / name).write_bytes(content)
    return folder / name


def signer(key, folder):
    return Signer(key, folder, SIZE)


def given_by(plan, name, target, identity=None):
    """What the server is given, and the exit code."""
    path = target.parent / "plan.json"
    path.write_bytes(plan.dump(identity))
    code = fetching.main([str(path), name, str(target)])
    return code, target.read_bytes() if target.exists() else None


@pytest.fixture(scope="module", params=["plain", "packed", "encrypted"])
def signed(request, tmp_path_factory):
    """A folder with one segment that is signed, as it lies there; and its content."""
    folder, key = tmp_path_factory.mktemp("signed"), WalKey(SigningKey(KEY), "4711")
    (folder / "key.txt").write_text(f"{SECRET}\n")
    (folder / "wal").mkdir()
    plain = put(folder, NAME, segment())
    if request.param == "plain":
        path = put(folder / "wal", NAME, segment())
    else:
        recipient = SECRET.to_public() if request.param == "encrypted" else None
        segments.pack(Copy(str(plain)), folder / "wal", recipient)
        (path,) = (folder / "wal").iterdir()
    key.sign(path, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
    return key, path, folder / "key.txt"


def test_what_is_signed_is_given_whole(signed, tmp_path):
    key, path, identity = signed
    plan = make_plan([path.parent], key, tmp_path, SIZE)
    assert given_by(plan, NAME, tmp_path / "target", identity) == (fetching.GIVEN, segment())
    assert given_by(plan, NEXT, tmp_path / "none", identity) == (fetching.END, None)


@given(data=st.data())
@FEW
def test_a_changed_byte_anywhere_gives_the_server_nothing(signed, tmp_path, data):
    """Of the file, or of its signature: whichever it is."""
    key, path, identity = signed
    folder = tmp_path / "wal"
    folder.mkdir(exist_ok=True)
    content = {one.name: bytearray(one.read_bytes()) for one in (path, beside(path))}
    changed = data.draw(st.sampled_from(sorted(content)))
    at = data.draw(st.integers(0, len(content[changed]) - 1))
    content[changed][at] ^= data.draw(st.integers(1, 255))
    for name, text in content.items():
        (folder / name).write_bytes(text)
    plan = make_plan([folder], key, tmp_path, SIZE)
    target = tmp_path / "target"
    assert given_by(plan, NAME, target, identity) == (fetching.ERROR, None)


@pytest.mark.parametrize("change", ["name", "server", "key"])
def test_a_signature_holds_for_one_place_of_one_server_alone(key, tmp_path, change):
    path = put(tmp_path, NAME, segment())
    key.sign(path, SIZE, hashlib.sha256(segment()).hexdigest())
    assert key.signed(path) is not None
    if change == "name":
        other = put(tmp_path, NEXT, segment())
        beside(path).rename(beside(other))
        assert key.signed(other) is None
    else:
        secret, system = (KEY[::-1], "4711") if change == "key" else (KEY, "4712")
        assert WalKey(SigningKey(secret), system).signed(path) is None


@given(text=st.binary(max_size=300))
@example(text=b"")
@FEW
def test_any_bytes_as_a_signature_are_none(tmp_path, text):
    path = put(tmp_path, NAME, segment())
    beside(path).write_bytes(text)
    assert WalKey(SigningKey(KEY), "4711").signed(path) is None


# What is signed


def test_only_what_came_while_it_runs_is_signed(key, tmp_path):
    """What lies there at the start may be anybody's, however new its name."""
    found = put(tmp_path, NEXT, segment(1))
    one = signer(key, tmp_path)
    one.sign(None)
    assert not beside(found).exists()
    new = put(tmp_path, NAME, segment())
    put(tmp_path, "00000002.history", b"1\t0/3000000\tno recovery target specified\n")
    put(tmp_path, "notes.txt", b"x")
    one.sign(None)
    assert key.signed(new) == Copy(str(new), SIZE, hashlib.sha256(segment()).hexdigest())
    assert key.signed(tmp_path / "00000002.history") is not None
    assert not beside(tmp_path / "notes.txt").exists()
    assert not all_signed([tmp_path], key)


@given(steps=st.lists(st.integers(0, SIZE + 10), max_size=6))
@FEW
def test_one_that_is_still_written_to_is_signed_as_far_as_it_was_flushed(tmp_path, steps):
    """And no byte further: what comes after that is zeros for a server."""
    key = WalKey(SigningKey(KEY), "4711")
    path = put(tmp_path, f"{NAME}.partial", segment())
    beside(path).unlink(missing_ok=True)
    one = signer(key, tmp_path)
    for step in steps:
        one.sign(BEGIN + step)
    reached = max((step for step in steps if 0 < step <= SIZE), default=0)
    plan = make_plan([tmp_path], key, tmp_path / "..", SIZE)
    if not reached:
        assert list(plan.refused) == [NAME]
        return
    assert plan.reaches(BEGIN + reached)
    assert not plan.reaches(BEGIN + reached + 1)
    code, content = given_by(plan, NAME, tmp_path / "target")
    assert code == fetching.GIVEN
    assert content == segment()[:reached] + bytes(SIZE - reached)


def test_a_segment_that_has_become_whole_keeps_no_signature_of_its_part(key, tmp_path):
    partial = put(tmp_path, f"{NAME}.partial", segment())
    one = signer(key, tmp_path)
    one.sign(BEGIN + 100)
    partial.rename(tmp_path / NAME)
    put(tmp_path, f"{NEXT}.partial", segment(1))
    one.sign(BEGIN + SIZE + 7)
    names = sorted(path.name for path in tmp_path.glob("*.sig"))
    assert names == [f"{NAME}.sig", f"{NEXT}.partial.sig"]
    assert all_signed([tmp_path], key)


def test_where_one_copy_is_changed_another_is_given(key, tmp_path):
    """That in the bucket has not been where the disk is."""
    here, fetched = tmp_path / "wal", tmp_path / "fetched"
    for folder in (here, fetched):
        folder.mkdir()
        path = put(folder, NAME, segment())
        key.sign(path, SIZE, hashlib.sha256(segment()).hexdigest())
    (here / NAME).write_bytes(segment(1))
    plan = make_plan([here, fetched], key, tmp_path, SIZE)
    assert given_by(plan, NAME, tmp_path / "target") == (fetching.GIVEN, segment())
    beside(here / NAME).unlink()
    plan = make_plan([here, fetched], key, tmp_path, SIZE)
    assert plan.refused == {}
    assert given_by(plan, NAME, tmp_path / "target") == (fetching.GIVEN, segment())


def test_unsigned_files_are_given_where_that_was_typed(tmp_path):
    put(tmp_path, NAME, segment())
    plan = make_plan([tmp_path], None, tmp_path, SIZE)
    assert given_by(plan, NAME, tmp_path / "target") == (fetching.GIVEN, segment())


def test_a_copy_that_is_shorter_than_what_was_signed_is_refused():
    class Short(io.BytesIO):
        def fileno(self):
            raise AssertionError

    with pytest.raises(Changed):
        copy_signed(Short(b"ab"), io.BytesIO(), 3, hashlib.sha256(b"ab").hexdigest())


# Keeping and sending it


@pytest.fixture
def keeping(tmp_path, log, postgres):
    def begin(recipient=None, **environ):
        folder = tmp_path / "backups"
        data = str(tmp_path / "data")
        context = context_on(
            postgres.url, folder, log, recipient=recipient, POS_DATA_DIR=data, **environ
        )
        return Keeping(context, context.storage.prepare("wal"), "4711", SIZE)

    return begin


@pytest.mark.parametrize("newest", [True, False], ids=["the newest", "another follows"])
def test_a_segment_that_ends_between_signing_and_packing_is_signed_before_it_is_packed(
    keeping, newest
):
    """It has another name then, and its packed copy is all that stays of it."""
    one, name = keeping(recipient=SECRET.to_public()), f"{'0' * 23}3"
    partial = put(one.folder, f"{name}.partial", segment())
    one.sign(3 * SIZE + 100)
    partial.rename(one.folder / name)
    if not newest:
        put(one.folder, f"{'0' * 23}4.partial", segment())
    one.pack()
    assert one.key.has_signed(one.wal, name)


def test_what_a_killed_run_has_not_signed_is_received_once_more(keeping):
    """As long as the server has it; what it has not, stays, and is refused."""
    one = keeping()
    names = [f"0000000100000000000000{number:02X}" for number in range(1, 5)]
    for name in names:
        put(one.wal, name, segment())
    one.key.sign(one.wal / names[1], SIZE, hashlib.sha256(segment()).hexdigest())
    put(one.wal, "000000010000000000000005.partial", segment())
    asked = []

    def server_has(last_digits):
        asked.append(last_digits)
        return True

    one.begin(server_has)
    assert asked == [names[3][8:], names[2][8:]]
    assert received.list_segments(one.wal) == names[:2]
    assert received.asked_for(one.wal, SIZE) == names[2][8:]
    assert sorted(path.name for path in (one.wal / "before-gap").iterdir()) == names[2:]
    keeping().begin(lambda last_digits: False)
    assert received.list_segments(one.wal) == names[:2]


def test_what_is_packed_is_signed_where_what_was_received_was(keeping):
    one = keeping(SECRET.to_public())
    foreign = put(one.folder, NAME, segment(1))
    one.begin(lambda last_digits: False)
    put(one.folder, f"{NEXT}.partial", segment())
    one.keep(BEGIN + SIZE + 1000)
    packed = {path.name for path in one.wal.glob("*.age")}
    assert packed == {f"{NAME}.gz.age", f"{NEXT}.partial.gz.age"}
    assert one.key.signed(one.wal / f"{NAME}.gz.age") is None
    assert one.key.signed(one.wal / f"{NEXT}.partial.gz.age") is not None
    assert not foreign.exists()  # it is packed, and unsigned there


def test_one_that_is_changed_before_it_is_packed_is_not_signed(keeping):
    one = keeping(SECRET.to_public())
    one.begin(lambda last_digits: False)
    put(one.folder, NAME, segment())
    one.sign(None)
    (one.folder / NAME).write_bytes(segment(1))
    with pytest.raises(Changed):
        one.pack()
    assert list(one.wal.glob("*.sig")) == []


def test_signatures_go_where_their_segments_go(keeping):
    one = keeping()
    one.begin(lambda last_digits: False)
    for name in (NAME, NEXT):
        put(one.wal, name, segment())
    one.sign(None)
    received.clean_up(one.wal, NEXT)
    assert sorted(path.name for path in one.wal.iterdir()) == [NEXT, f"{NEXT}.sig"]
    one.begin_anew()
    aside = one.wal / "before-gap"
    assert sorted(path.name for path in aside.iterdir()) == [NEXT, f"{NEXT}.sig"]
    assert all_signed([aside], one.key)


def test_the_program_that_gives_files_needs_nothing_of_ours_that_is_slow_to_load():
    """It is started for each segment."""
    code = "import sys, posapp.backup.fetching; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    slow = {"pyrage", "isal", "psycopg2", "sqlalchemy", "pydantic", "click", "boto3"}
    assert slow.isdisjoint(done.stdout.split())
    assert Path(fetching.__file__).stat().st_mode & os.R_OK
