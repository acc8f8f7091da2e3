"""A backup and a drill that succeeded are pushed to the monitors that wait for them."""

import pytest

from healthkit import Health, Status
from posapp.backup.errors import BackupError, Busy, Refused
from posapp.backup.notifications import Notifications
from posapp.settings import Settings, SettingsError
from tests.observability.sinks import sink


def notifications(lines, tmp_path, **variables):
    environ = {"POS_DATA_DIR": str(tmp_path), "HEALTHKIT_STORE": "sqlite://", **variables}
    return Notifications(Settings.from_env(environ), environ, lines.append)


@pytest.mark.parametrize(
    ("name", "variable"),
    [("backup-daily", "BACKUP_HEARTBEAT"), ("backup-drill", "DRILL_HEARTBEAT")],
)
def test_each_is_pushed_to_its_own_address_and_to_no_other(tmp_path, name, variable):
    lines = []
    with sink() as kuma:
        told = notifications(lines, tmp_path, **{variable: f"http://{kuma.url}/api/push/abc"})
        for one in ("backup-daily", "backup-weekly", "backup-drill"):
            with told.job(one):
                pass
        assert [path for path, *_ in kuma.received] == ["/api/push/abc?status=up&msg=OK"]
    assert lines == []


def test_one_that_does_not_arrive_is_a_line_without_its_token_and_fails_nothing(tmp_path):
    lines = []
    told = notifications(lines, tmp_path, BACKUP_HEARTBEAT="http://127.0.0.1:1/api/push/geheim")
    with told.job("backup-daily"):
        pass
    (line,) = lines
    assert line.startswith("the heartbeat backup-daily was not pushed: ")
    assert "geheim" not in line


@pytest.fixture
def jobs(tmp_path):
    """`jobs.run(name, error)` runs one; `jobs.said(name)` is what healthkit knows of it."""
    config = tmp_path / "healthkit.toml"
    config.write_text(
        f'[service]\nname = "test"\n[store]\nurl = "sqlite:///{tmp_path}/store.db"\n'
        '[checks.backup-daily]\ntype = "heartbeat"\nevery = "25h"\nmax_runtime = "2h"\n'
    )
    lines = []
    told = notifications(lines, tmp_path, HEALTHKIT_CONFIG=str(config))

    class Jobs:
        def run(self, name, error=None):
            with told.job(name):
                if error is not None:
                    raise error

        def said(self, name="backup-daily"):
            health = Health.from_file(config)
            try:
                return health.last_run(name), health.check_once().result(name).outcome
            finally:
                health.stop()

    found = Jobs()
    found.lines, found.notifications = lines, told
    return found


def test_a_job_says_its_start_and_its_end_and_how_long_it_took(jobs):
    with jobs.notifications.job("backup-daily"):
        run, outcome = jobs.said()
        assert (run.started_at is not None, outcome.status) == (True, Status.HEALTHY)
    run, outcome = jobs.said()
    assert (run.code, outcome.status) == (0, Status.HEALTHY)
    assert run.seconds is not None
    assert jobs.lines == []


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BackupError("pg_dump: connection refused"), 1, "pg_dump: connection refused"),
        (Refused("postgresql://pos:geheim@db/pos: no such database"), 2, "no such database"),
        (Busy("another run is active"), 75, "another run is active"),
        (SystemExit(143), 1, "143"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
    ],
)
def test_a_job_that_fails_says_its_exit_code_and_its_last_words(jobs, error, code, said):
    with pytest.raises(type(error)):
        jobs.run("backup-daily", error)
    run, outcome = jobs.said()
    assert (run.code, outcome.status) == (code, Status.UNHEALTHY)
    assert said in run.text
    assert "geheim" not in f"{run.text} {outcome.message}"


def test_a_job_that_no_check_waits_for_is_told_to_nobody_and_runs(jobs):
    jobs.run("backup-weekly")
    with pytest.raises(BackupError):
        jobs.run("backup-weekly", BackupError("x"))
    assert jobs.lines == []


def test_an_address_that_is_none_is_a_mistake_of_the_environment():
    with pytest.raises(SettingsError, match="BACKUP_HEARTBEAT: not a web address"):
        Settings.from_env({"BACKUP_HEARTBEAT": "geheim"})
