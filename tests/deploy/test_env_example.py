"""deploy/.env.production.example says all that the POS can be told, and nothing that it cannot."""

import re
from itertools import pairwise

from posapp.settings import Settings
from tests.deploy.stack import DEPLOY, ROOT, example

OF_THE_BUILD = {"VITE_ENVIRONMENT"}
SECRET = "7f3b9c1e5a8d2460b7e9f1a3c5d80246"


def of_healthkit():
    """The variables of healthkit.toml."""
    return set(re.findall(r"\$\{(\w+)", (ROOT / "healthkit.toml").read_text()))


def of_kuma():
    """The variables of monitors.toml."""
    return set(re.findall(r"\$\{(\w+)", (DEPLOY / "kuma" / "monitors.toml").read_text())) - {"NAME"}


def of_the_settings():
    return {name.upper() for name in Settings.model_fields}


def test_it_has_every_variable_of_the_settings_and_of_healthkit_and_no_other():
    ours = of_the_settings() | of_healthkit() | of_kuma()
    assert set(example()) == ours | OF_THE_BUILD


def test_each_variable_stands_below_a_line_that_says_what_it_is():
    lines = (DEPLOY / ".env.production.example").read_text().splitlines()
    five = {"DB_PORT", "DB_USER", "DB_NAME", "BIND", "DB_HOST"}
    for before, line in pairwise(lines):
        name = line.removeprefix("# ").partition("=")[0]
        if name in example() and name not in five | {"PORT"}:
            assert re.fullmatch(r"# [A-Z].+\.?", before), f"{name} is not explained"
            assert not re.match(r"# [A-Z_0-9]+=", before), f"{name} is not explained"


def test_a_value_that_is_on_is_the_default_where_there_is_one():
    told = {name: value for name, (value, on) in example().items() if on and value}
    plain = Settings()
    chosen = {"ENVIRONMENT", "CORS_ALLOWED_ORIGINS"}
    for name, value in told.items():
        if name in of_the_settings() - chosen:
            got = getattr(Settings.from_env({name: value}), name.lower())
            assert got == getattr(plain, name.lower()), name


def test_with_its_secrets_it_is_a_production_that_starts():
    told = {name: value for name, (value, on) in example().items() if on}
    secrets = {"JWT_SECRET": SECRET, "DB_PASSWORD": SECRET, "DB_HOST": "postgres"}
    settings = Settings.from_env({**told, **secrets})
    assert settings.production
    assert settings.sentry_dsn is None


def test_secrets_are_off_in_it():
    secret = [
        n for n in example() if re.search("JWT_SECRET|DB_PASSWORD|BACKUP_KEY|HEALTH_TOKEN", n)
    ]
    assert sorted(secret) == ["BACKUP_KEY", "DB_PASSWORD", "HEALTH_TOKEN", "JWT_SECRET"]
    assert not [name for name in secret if example()[name][1] or example()[name][0]]
