"""The programs of the POS: how they are told where everything is, and how their end is called."""

import signal
from pathlib import Path

import pytest
from sqlalchemy import make_url

from posapp.runtime import processes
from posapp.runtime.child import describe_exit
from posapp.settings import Settings

URL = make_url("postgresql+psycopg2://pos:s3cret@h/pos")


def settings(tmp_path, **environ):
    return Settings.from_env({"POS_DATA_DIR": str(tmp_path), **environ})


def test_a_child_gets_the_database_the_key_and_healthkits_files(tmp_path):
    child = processes.child_environment({"LANG": "C"}, settings(tmp_path), URL)
    assert child["LANG"] == "C"
    assert child["DATABASE_URL"] == "postgresql+psycopg2://pos:s3cret@h/pos"
    assert len(child["JWT_SECRET"]) == 64
    assert child["HEALTHKIT_STORE"] == f"sqlite:///{tmp_path}/healthkit.db"
    assert Path(child["HEALTHKIT_CONFIG"]).is_file()


def test_the_key_of_a_folder_is_the_same_at_every_start(tmp_path):
    first, second = (
        processes.child_environment({}, settings(tmp_path), URL)["JWT_SECRET"] for _ in range(2)
    )
    assert first == second


def test_a_key_of_the_environment_is_not_replaced(tmp_path):
    given = {"JWT_SECRET": "7f3b9c1e5a8d2460b7e9f1a3c5d80246"}
    child = processes.child_environment(given, settings(tmp_path, **given), URL)
    assert child["JWT_SECRET"] == given["JWT_SECRET"]
    assert not (tmp_path / "jwt-secret").exists()


def test_a_folder_that_cannot_keep_the_key_is_named(tmp_path):
    file = tmp_path / "file"
    file.write_text("no folder")
    with pytest.raises(processes.StartError, match="JWT_SECRET: not set") as refused:
        processes.child_environment({}, settings(file), URL)
    assert len(refused.value.lines()) == 1


def test_a_store_of_the_environment_stays_and_a_database_of_ones_own_gets_none(tmp_path):
    given = {"HEALTHKIT_STORE": "sqlite:///elsewhere.db"}
    assert processes.with_health_store(given, settings(tmp_path)) == {
        **given,
        "TELEGRAM_URL": "log://",  # nobody is named yet
    }
    named = {**given, "EMAIL_URL": "mailto://user:secret@h"}
    assert processes.with_health_store(named, settings(tmp_path)) == named
    own = settings(tmp_path, DATABASE_URL="postgresql://h/n")
    assert processes.with_health_store({}, own) == {}


def test_healthkits_file_is_the_one_that_is_named_or_here_or_the_checkouts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = settings(tmp_path, HEALTHKIT_CONFIG="mine.toml")
    assert processes.health_config_path(named) == tmp_path / "mine.toml"
    fallback = processes.health_config_path(settings(tmp_path))
    assert fallback == processes.ROOT / "healthkit.toml"
    (tmp_path / "healthkit.toml").touch()
    assert processes.health_config_path(settings(tmp_path)) == tmp_path / "healthkit.toml"


def test_the_demo_is_refused_in_production_alone(tmp_path):
    processes.refuse_in_production(settings(tmp_path))
    production = settings(
        tmp_path,
        ENVIRONMENT="production",
        JWT_SECRET="7f3b9c1e5a8d2460b7e9f1a3c5d80246",
        DATABASE_URL="postgresql://h/n",
    )
    with pytest.raises(processes.StartError, match="ENVIRONMENT=production"):
        processes.refuse_in_production(production)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_an_end_by_a_signal_is_called_by_its_name(number):
    assert describe_exit(-number) == f"killed by {number.name}"


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_an_end_by_itself_is_called_by_its_code(code):
    assert describe_exit(code) == f"exit code {code}"
