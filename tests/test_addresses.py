"""An address that nothing can be sent to is refused by its variable, not by what takes it apart."""

import pytest

from posapp.settings import Settings, SettingsError

WEB = ("KUMA_URL", "KUMA_PUSH_URL", "BACKUP_HEARTBEAT", "DRILL_HEARTBEAT", "ALERT_WEBHOOK")
NONE = {
    "a port beyond all": "http://kuma:99999",
    "port 0": "http://kuma:0",
    "a port of letters": "http://kuma:x",
    "a port that is missing": "http://kuma:",
    "half an address": "http://[::1",
    "no host": "http:///x",
    "a blank": "http://a b/x",
    "a blank behind": "http://kuma/x ",
    "a line break": "http://kuma/\nx",
    "no name": "http://..",
    "a name beyond all": "http://" + "a" * 300,
    "an address beyond all": "http://256.1.1.1/",
    "half an address of four": "http://127.1/",
    "letters that are not sent": "http://é/",
    "a backslash": "http://kuma\\x",
    "another protocol": "ftp://kuma",
    "a word": "kuma",
}
ORIGINS = (
    *("https://a.example/", "https://a.example?x", "https://a.example#x", "https://*.a.example"),
    *("https://a:geheim@a.example", "https://a.example;x", "null", "https://:443"),
)
DSNS = (
    "http://k@h:99999/1",
    "http://k@h:x/1",
    "https://k@h /1",
    "https://k@[::1/1",
    "https://@h/1",
)
BINDS = ("a b", "0.0.0.0:80", "256.1.1.1", "*", "unix:/tmp/x", "fd://3", "é", "[::1]:80", "[::1")
DATABASES = (
    *("postgresql://pos:geheim@db:99999/pos", "postgresql://pos:geheim@db:0/pos"),
    *("postgresql://pos:geheim%00@db/pos", "postgresql://pos:geheim@db/pos%00"),
)


def refusal(variable, value):
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({variable: value})
    (line,) = refused.value.lines
    assert line.startswith(f"{variable}: ")
    assert "heim" not in line
    return line


@pytest.mark.parametrize("value", NONE.values(), ids=NONE)
@pytest.mark.parametrize("variable", [*WEB, "CORS_ALLOWED_ORIGINS", "BACKUP_S3_ENDPOINT"])
def test_an_address_that_leads_nowhere_is_refused_with_how_to_write_one(variable, value):
    assert "; write it like http" in refusal(variable, value)


@pytest.mark.parametrize(
    ("variable", "values"),
    [
        ("CORS_ALLOWED_ORIGINS", ORIGINS),
        ("SENTRY_DSN", DSNS),
        ("VITE_SENTRY_DSN", DSNS),
        ("BIND", BINDS),
        ("DATABASE_URL", DATABASES),
        ("BACKUP_S3_BUCKET", ("s3://backups", "backups/pos", "my backups")),
        ("KUMA_URL", ("http://a:geheim@kuma:99999", "http://kuma/?x", "http://kuma#x")),
    ],
)
def test_what_is_none_of_its_kind_is_refused(variable, values):
    for value in values:
        refusal(variable, value)


@pytest.mark.parametrize(
    ("variable", "value", "taken"),
    [
        ("KUMA_URL", "http://uptime-kuma:3001/", "http://uptime-kuma:3001"),
        ("KUMA_URL", "http://my_kuma", "http://my_kuma"),
        ("KUMA_URL", "http://[::1]:3001", "http://[::1]:3001"),
        ("BACKUP_S3_ENDPOINT", "https://x.r2.example.com", "https://x.r2.example.com"),
        ("BACKUP_S3_BUCKET", "pos-backups.example", "pos-backups.example"),
        ("CORS_ALLOWED_ORIGINS", "HTTPS://POS.Example:8443", ("https://pos.example:8443",)),
        ("CORS_ALLOWED_ORIGINS", "https://xn--j1amh.example", ("https://xn--j1amh.example",)),
        ("BIND", "::", "[::]"),
        ("BIND", "[::1]", "[::1]"),
        ("BIND", "0.0.0.0", "0.0.0.0"),
        ("BIND", "localhost", "localhost"),
    ],
)
def test_an_address_of_each_form_is_taken(variable, value, taken):
    assert getattr(Settings.from_env({variable: value}), variable.lower()) == taken


def test_a_webhook_may_have_its_secret_in_its_query():
    taken = Settings.from_env({"ALERT_WEBHOOK": "https://hooks.example/x?token=geheim"})
    assert taken.alert_webhook.get_secret_value().endswith("geheim")
