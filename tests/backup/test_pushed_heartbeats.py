"""A backup and a drill that succeeded are pushed to the monitors that wait for them."""

import pytest

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
            told.send_heartbeat(one)
        assert [path for path, *_ in kuma.received] == ["/api/push/abc?status=up&msg=OK"]
    assert lines == []


def test_one_that_does_not_arrive_is_a_line_without_its_token_and_fails_nothing(tmp_path):
    lines = []
    told = notifications(lines, tmp_path, BACKUP_HEARTBEAT="http://127.0.0.1:1/api/push/geheim")
    told.send_heartbeat("backup-daily")
    (line,) = lines
    assert line.startswith("the heartbeat backup-daily was not pushed: ")
    assert "geheim" not in line


def test_an_address_that_is_none_is_a_mistake_of_the_environment():
    with pytest.raises(SettingsError, match="BACKUP_HEARTBEAT: not a web address"):
        Settings.from_env({"BACKUP_HEARTBEAT": "geheim"})
