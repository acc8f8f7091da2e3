"""A change of the configuration is in the audit log, and shows no secret there."""

from datetime import UTC, datetime

import pytest

from posapp.database.engine import open_session
from posapp.features.audit import service as audit
from posapp.operations.configuration import ACTION, described, differences, record_changes
from posapp.settings import Settings

KEY = "7f3b9c1e5a8d2460b7e9f1a3c5d80246"
OTHER = "9c1e5a8d2460b7e9f1a3c5d802467f3b"
NOW = datetime(2026, 11, 25, tzinfo=UTC)


def settings_of(tmp_path, **variables):
    config = tmp_path / "healthkit.toml"
    if not config.exists():
        config.write_text("[service]\nname = 'x'\n")
    return Settings.from_env({"HEALTHKIT_CONFIG": str(config), **variables})


@pytest.fixture
def start(database, tmp_path):
    """Starts with these variables; returns what the log says has changed."""

    def start(key=KEY, **variables):
        settings = settings_of(tmp_path, **variables)
        with open_session(database, Settings()) as session:
            before = len(audit.find(session, action=ACTION, limit=100))
            record_changes(session, settings, key, NOW)
        with open_session(database, Settings()) as session:
            found = audit.find(session, action=ACTION, limit=100)
        return found[0].details["changed"] if len(found) > before else []

    return start


def test_each_change_is_told_once_by_its_name(start, tmp_path):
    start()
    assert start() == []
    assert start(LOG_LEVEL="DEBUG") == ["LOG_LEVEL"]
    assert start(LOG_LEVEL="DEBUG", HEALTH_TOKEN=OTHER) == ["HEALTH_TOKEN"]
    assert start(LOG_LEVEL="DEBUG", HEALTH_TOKEN=KEY) == ["HEALTH_TOKEN"]
    assert start(LOG_LEVEL="DEBUG") == ["HEALTH_TOKEN"]
    (tmp_path / "healthkit.toml").write_text("[service]\nname = 'y'\n")
    assert start(LOG_LEVEL="DEBUG") == ["healthkit.toml"]
    assert start(key=OTHER, LOG_LEVEL="DEBUG") == ["JWT_SECRET"]
    assert start(key=OTHER, LOG_LEVEL="DEBUG") == []
    assert start(key=KEY) == ["JWT_SECRET", "LOG_LEVEL"]


def test_no_secret_stands_in_it_and_none_can_be_guessed_from_it(tmp_path):
    secrets = {
        "DATABASE_URL": "postgresql://pos:hush-hush@db/x",
        "DB_PASSWORD": "hush-hush",
        "HEALTH_TOKEN": OTHER,
        "BACKUP_S3_SECRET_KEY": "hush-hush",
        "ALERT_WEBHOOK": "https://example.com/hush-hush",
    }
    settings = settings_of(tmp_path, **secrets, JWT_SECRET=KEY)
    told = described(settings, KEY)
    assert not [word for word in ("hush", KEY, OTHER) if word in str(told)]
    assert told["DB_PASSWORD"] != described(settings, OTHER)["DB_PASSWORD"]
    assert told["PORT"] == "8080"


def test_with_another_signing_key_digests_cannot_be_compared_and_are_not():
    known = {"JWT_SECRET": "digest:1", "DB_PASSWORD": "digest:2", "PORT": "1"}
    current = {"JWT_SECRET": "digest:3", "DB_PASSWORD": "digest:4", "PORT": "2"}
    assert differences(known, current) == ["JWT_SECRET", "PORT"]
    assert differences({}, current) == ["DB_PASSWORD", "JWT_SECRET", "PORT"]
