"""The environment, read once."""

import pytest

from posapp.settings import Settings, SettingsError

STRONG = "7f3b9c1e5a8d2460b7e9f1a3c5d80246"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql://pos:hush@db/pos",
    "JWT_SECRET": STRONG,
}


def refusal(environ):
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(environ)
    return "\n".join(refused.value.lines)


def test_nothing_is_needed_in_development():
    settings = Settings.from_env({})
    assert settings.environment == "development"
    assert settings.database is None
    assert (settings.db_max_open_conns, settings.db_max_idle_conns) == (25, 10)
    assert settings.db_conn_max_lifetime.total_seconds() == 3600


def test_a_whole_production_environment_is_accepted():
    assert Settings.from_env(PRODUCTION).production


@pytest.mark.parametrize(
    ("change", "variable"),
    [
        ({"JWT_SECRET": ""}, "JWT_SECRET: missing"),
        ({"JWT_SECRET": "short"}, "JWT_SECRET: too short"),
        ({"JWT_SECRET": "a" * 40}, "JWT_SECRET: too easy"),
        ({"JWT_SECRET": "your-secret-key-change-me-in-production"}, "JWT_SECRET: too easy"),
        ({"DATABASE_URL": ""}, "DATABASE_URL: missing"),
        ({"CORS_ALLOWED_ORIGINS": "https://a.example,*"}, "CORS_ALLOWED_ORIGINS: *"),
    ],
)
def test_production_refuses_to_start_half_configured(change, variable):
    assert variable in refusal({**PRODUCTION, **change})


def test_every_mistake_of_production_is_named_at_once():
    text = refusal({"ENVIRONMENT": "production", "CORS_ALLOWED_ORIGINS": "*"})
    assert {line.split(":")[0] for line in text.splitlines()} == {
        "JWT_SECRET",
        "DATABASE_URL",
        "CORS_ALLOWED_ORIGINS",
    }


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("LOG_LEVEL", "LOUD"),
        ("ENVIRONMENT", "prod"),
        ("DB_CONN_MAX_LIFETIME", "an hour"),
        ("DB_MAX_OPEN_CONNS", "0"),
        ("DATABASE_URL", "not a url"),
        ("DATABASE_URL", "mysql://root@localhost/pos"),
        ("CORS_ALLOWED_ORIGINS", "your-domain.com"),
        ("JWT_EXPIRATION", "0s"),
    ],
)
def test_a_bad_value_is_named_by_its_variable(variable, value):
    assert refusal({variable: value}).startswith(f"{variable}: ")


def test_an_error_shows_no_secret():
    text = refusal({**PRODUCTION, "JWT_SECRET": "hush-hush", "DATABASE_URL": "mysql://u:hush@db/x"})
    assert "hush" not in text


def test_the_parts_of_the_database_make_its_url():
    url = Settings.from_env(
        {"DB_HOST": "db", "DB_USER": "pos", "DB_PASSWORD": "p@ss/word"}
    ).database
    assert url is not None
    assert url.render_as_string(hide_password=False) == (
        "postgresql+psycopg2://pos:p%40ss%2Fword@db:5432/steak_kenangan"
    )


def test_the_scheme_of_older_hosts_is_understood():
    url = Settings.from_env({"DATABASE_URL": "postgres://pos@db/pos"}).database
    assert url is not None
    assert url.drivername == "postgresql+psycopg2"
