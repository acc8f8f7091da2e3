"""The environment, read once."""

import subprocess
import sys
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from healthkit import fields
from posapp.settings import Settings, SettingsError, parse_database_url, secret_weakness

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
    assert not settings.production
    assert settings.database is None


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
        ("WEB_CONCURRENCY", "two"),
        ("GRACEFUL_TIMEOUT", "soon"),
        ("SENTRY_DSN", "notadsn"),
        ("SENTRY_DSN", "https://sentry.example/1"),
        ("SENTRY_DSN", "https://key@sentry.example/"),
        ("DATABASE_URL", "postgresql://pos:geheim@db/pos?sslmod=require"),
        ("DATABASE_URL", "postgresql://pos:geheim@db/pos?schema=pos&jdbc=1"),
        ("DATABASE_URL", "postgresql://pos:ge@heim@db/pos"),
    ],
)
def test_a_bad_value_is_named_by_its_variable(variable, value):
    said = refusal({variable: value})
    assert said.startswith(f"{variable}: ")
    assert len(said.splitlines()) == 1
    assert "heim" not in said


@pytest.mark.parametrize(
    ("variable", "least", "default", "most"),
    [
        ("PORT", 1, 8080, 65535),
        ("DB_PORT", 1, 5432, 65535),
        ("DB_MAX_IDLE_CONNS", 0, 10, 25),
        ("SLOW_QUERY_MS", 0, 500, None),
        ("SENTRY_TRACES_SAMPLE_RATE", 0, 0.1, 1),
        ("TRUSTED_PROXIES", 0, 0, 10),  # nobody may say whom he speaks for
        ("BACKUP_KEEP_BEFORE", 1, 3, None),
        ("WEB_CONCURRENCY", 1, 2, 64),
        ("GRACEFUL_TIMEOUT", 1, 20, 600),
    ],
)
def test_a_number_has_its_default_is_taken_up_to_its_bounds_and_refused_beyond(
    variable, least, default, most
):
    assert getattr(Settings.from_env({}), variable.lower()) == default
    for bound, beyond in ((least, least - 1), (most, (most or 0) + 1)):
        if bound is not None:
            taken = Settings.from_env({variable: str(bound)})
            assert getattr(taken, variable.lower()) == bound
            assert refusal({variable: str(beyond)}).startswith(f"{variable}: ")


@pytest.mark.parametrize(
    ("variable", "default"),
    [
        ("ENVIRONMENT", "development"),
        ("LOG_LEVEL", "INFO"),
        ("DB_USER", "postgres"),
        ("DB_NAME", "steak_kenangan"),
        ("DB_MAX_OPEN_CONNS", 25),
        ("DB_CONN_MAX_LIFETIME", timedelta(hours=1)),
        ("JWT_EXPIRATION", timedelta(minutes=15)),
        ("CORS_ALLOWED_ORIGINS", ()),
        ("PROXY_NETWORKS", ()),
        ("API_DOCS", True),
        ("SLOW_QUERY_PLAN", False),
        ("BACKUP_DIR", Path("backups")),
        ("POS_DATA_DIR", Path("var")),
        ("HEALTHKIT_CONFIG", Path("healthkit.toml")),
        ("BIND", "127.0.0.1"),
        ("KUMA_USERNAME", "admin"),
    ],
)
def test_a_variable_that_is_not_set_has_its_default(variable, default):
    assert getattr(Settings.from_env({}), variable.lower()) == default
    assert getattr(Settings.from_env({variable: ""}), variable.lower()) == default


def test_connections_are_one_to_a_thousand_and_no_more_may_wait_than_may_be_open():
    def of(most, idle):
        return {"DB_MAX_OPEN_CONNS": str(most), "DB_MAX_IDLE_CONNS": str(idle)}

    for most, idle in ((1, 0), (1, 1), (1000, 1000)):
        settings = Settings.from_env(of(most, idle))
        assert (settings.db_max_open_conns, settings.db_max_idle_conns) == (most, idle)
    assert refusal(of(5, 6)) == "DB_MAX_IDLE_CONNS: must not be more than DB_MAX_OPEN_CONNS"
    assert refusal(of(0, 0)).startswith("DB_MAX_OPEN_CONNS: ")
    for none in ("0", "-1", "-9"):
        one_line = refusal({"DB_MAX_OPEN_CONNS": none})
        assert one_line.startswith("DB_MAX_OPEN_CONNS: "), "and not also what follows it"
        assert "\n" not in one_line
    for most, idle in (("5", 5), ("9", 9), ("10", 10), ("1000", 10), (" 1", 1)):
        follows = Settings.from_env({"DB_MAX_OPEN_CONNS": most})
        assert follows.db_max_idle_conns == idle, "what is not given follows what is"
    text = refusal(of(1001, 1001))
    assert [line.split(":")[0] for line in text.splitlines()] == [
        "DB_MAX_OPEN_CONNS",
        "DB_MAX_IDLE_CONNS",
    ]


def test_settings_stay_as_they_were_read():
    settings = Settings.from_env({})
    with pytest.raises(ValidationError):
        settings.port = 80


@pytest.mark.parametrize(
    "origin", ["https://pos.example", "http://localhost:5173", "https://192.168.1.10:8443", "*"]
)
def test_an_origin_is_a_scheme_and_a_host(origin):
    assert Settings.from_env({"CORS_ALLOWED_ORIGINS": origin}).cors_allowed_origins == (origin,)


@pytest.mark.parametrize(
    "text", ["ftp://pos.example", "https://", "https:///x", "https://pos.example/", "//pos.example"]
)
def test_what_a_browser_never_sends_as_origin_is_refused(text):
    assert refusal({"CORS_ALLOWED_ORIGINS": text}).startswith("CORS_ALLOWED_ORIGINS: ")


def test_networks_are_a_list_and_what_is_none_is_refused_with_an_example():
    networks = Settings.from_env({"PROXY_NETWORKS": "172.31.255.128/26, ::1"}).proxy_networks
    assert networks == (ip_network("172.31.255.128/26"), ip_network("::1/128"))
    assert refusal({"PROXY_NETWORKS": "10.0.0.1/8"}) == (
        "PROXY_NETWORKS: '10.0.0.1/8' is no network; write it like 172.31.255.128/26, or an address"
    )


def test_origins_are_a_list_with_commas_and_any_spaces():
    origins = Settings.from_env({"CORS_ALLOWED_ORIGINS": " https://a.id , ,https://b.id,"})
    assert origins.cors_allowed_origins == ("https://a.id", "https://b.id")
    same = Settings(cors_allowed_origins=("https://a.id", "https://b.id"))
    assert origins.cors_allowed_origins == same.cors_allowed_origins


@pytest.mark.parametrize(
    ("word", "level"),
    [("debug", "DEBUG"), ("Warn", "WARN"), ("warning", "WARN"), ("ERROR", "ERROR")],
)
def test_a_log_level_is_written_in_any_case_and_warn_in_both_ways(word, level):
    assert Settings.from_env({"LOG_LEVEL": word}).log_level == level


@pytest.mark.parametrize("value", [5, ["DEBUG"], None])
def test_a_log_level_or_origins_of_another_type_are_a_mistake_and_no_crash(value):
    for field in ("log_level", "cors_allowed_origins"):
        with pytest.raises(ValidationError):
            Settings.model_validate({field: value})


def test_a_signing_key_has_32_characters_that_do_not_repeat_themselves():
    assert secret_weakness(STRONG[:32]) is None
    assert secret_weakness(STRONG[:31]) == "too short, 32 characters at least"
    assert secret_weakness("Kq7-" + STRONG[:27]) == "too short, 32 characters at least"
    for easy in ("0123456789abcdef" * 3, "kenangan-" * 8, "x" * 64, "12345678" * 5):
        assert secret_weakness(easy).startswith("too easy to guess")


@pytest.mark.parametrize("token", ["sesame", "a" * 40, "0123456789abcdef" * 2, "7f3b9c1e5a8d246"])
def test_a_health_token_that_can_be_guessed_is_refused_everywhere(token):
    assert refusal({"HEALTH_TOKEN": token}).startswith("HEALTH_TOKEN: too ")
    assert token not in refusal({"HEALTH_TOKEN": token})


@pytest.mark.parametrize("word", ["Secret", "changeme", "PASSWORD", "example"])
def test_one_word_that_everybody_tries_makes_a_long_key_weak(word):
    assert secret_weakness(f"{STRONG}{word}{STRONG}") == "too easy to guess"


def test_a_weak_key_is_refused_in_production_only():
    assert Settings.from_env({"JWT_SECRET": "short"}).jwt_secret is not None
    assert refusal({**PRODUCTION, "JWT_SECRET": "short"}).startswith("JWT_SECRET: ")


def test_an_error_shows_no_secret():
    text = refusal({**PRODUCTION, "JWT_SECRET": "hush-hush", "DATABASE_URL": "mysql://u:hush@db/x"})
    assert "hush" not in text


def test_pydantics_own_words_show_no_value_either():
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"port": "hush"})
    assert "hush" not in str(refused.value)


def test_the_parts_of_the_database_make_its_url():
    url = Settings.from_env(
        {"DB_HOST": "db", "DB_USER": "pos", "DB_PASSWORD": "p@ss/word"}
    ).database
    assert url is not None
    assert url.render_as_string(hide_password=False) == (
        "postgresql+psycopg2://pos:p%40ss%2Fword@db:5432/steak_kenangan"
    )


def test_a_database_without_a_password_is_named_without_one():
    url = Settings.from_env({"DB_HOST": "db"}).database
    assert url is not None
    assert url.render_as_string(hide_password=False) == (
        "postgresql+psycopg2://postgres@db:5432/steak_kenangan"
    )


def test_the_whole_url_goes_before_its_parts():
    url = Settings.from_env({"DATABASE_URL": "postgresql://pos@one/pos", "DB_HOST": "two"}).database
    assert url is not None
    assert url.host == "one"


@pytest.mark.parametrize("text", ["postgresql+asyncpg://pos@db/pos", "postgresql://pos@db/pos"])
def test_any_driver_for_postgresql_is_understood(text):
    assert parse_database_url(text).drivername == "postgresql+psycopg2"


def test_what_only_prisma_knows_is_left_out_and_told_once(caplog):
    address = "postgresql://pos:hush@db/pos?schema=other&connection_limit=5&sslmode=require"
    fields._warn_of.cache_clear()
    for _ in range(3):
        url = Settings.from_env({"DATABASE_URL": address}).database
    assert dict(url.query) == {"sslmode": "require"}
    assert len(caplog.messages) == 1
    assert "connection_limit, schema" in caplog.text
    assert "hush" not in caplog.text


@pytest.mark.parametrize(
    "query",
    ["sslmode=require", "connect_timeout=5", "application_name=x", "channel_binding=require"],
)
def test_what_libpq_knows_stays(query):
    url = parse_database_url(f"postgresql://pos@db/pos?{query}")
    assert dict(url.query) == dict([query.split("=")])


@pytest.mark.parametrize("text", ["postgresql://pos@db:port/pos", "", "mysql+postgresql://db/pos"])
def test_what_is_no_address_of_a_postgresql_is_refused_in_words(text):
    with pytest.raises(ValueError, match=r"^(not a database URL|must begin with postgresql://)"):
        parse_database_url(text)


def test_the_scheme_of_older_hosts_is_understood():
    url = Settings.from_env({"DATABASE_URL": "postgres://pos@db/pos"}).database
    assert url is not None
    assert url.drivername == "postgresql+psycopg2"


def test_settings_are_read_without_loading_what_gevent_has_to_patch_first():
    """gunicorn reads them before it forks: Sentry loaded there would hang a worker."""
    code = (
        "import sys; from posapp.settings import Settings;"
        "Settings.from_env({'SENTRY_DSN': 'https://key@sentry.example/1'});"
        "print([n for n in sys.modules if n.startswith(('sentry', 'requests', 'urllib3'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_dsn_of_the_front_end_is_refused_like_the_servers():
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({"VITE_SENTRY_DSN": "errors.example/7"})
    assert refused.value.lines[0].startswith("VITE_SENTRY_DSN: not a Sentry DSN")
