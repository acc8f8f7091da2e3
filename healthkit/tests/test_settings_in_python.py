"""A service without a file: settings from public names, validated like healthkit.toml."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from healthkit import (
    ChannelSettings,
    Check,
    CheckInfo,
    ConfigError,
    ConfiguredCheck,
    Health,
    MessageSettings,
    Outcome,
    RouteSettings,
    ServiceSettings,
    Settings,
    Severity,
    Status,
    StoreSettings,
    configure_check,
)
from healthkit.testing import wait_until
from healthkit.watch import make_watcher

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "without-a-file.md"


class Fine(Check):
    def run(self, context):
        return Outcome.healthy()


def settings(**given):
    return Settings(service=ServiceSettings(name="Till"), **given)


def mistakes(make):
    with pytest.raises(ConfigError) as caught:
        make()
    return caught.value.lines()


def test_checks_made_in_python_run_with_the_settings_that_a_file_could_give_them():
    check = configure_check(
        "queue", Fine(), interval="250ms", severity="critical", tags=["core"], runbook="#queue"
    )
    assert check.info.interval == timedelta(milliseconds=250)
    assert (check.info.severity, check.info.label) == (Severity.CRITICAL, "Queue")
    health = Health(settings(checks=[check]))
    assert health.check_once().result("queue").outcome.status is Status.HEALTHY


def test_what_is_known_of_a_check_is_validated_too_where_it_is_made_by_hand():
    info = CheckInfo("queue", "Queue", severity="critical", tags=["core"])
    made = ConfiguredCheck(info=info, type="own", check=Fine()).info
    assert (made.severity, made.tags) == (Severity.CRITICAL, ("core",))
    with pytest.raises(ValueError, match="'critical', 'high', 'medium' or 'low'"):
        ConfiguredCheck(info=CheckInfo("a", "A", severity="grave"), type="own", check=Fine())


def test_every_mistake_in_a_check_is_named_at_once():
    def make():
        configure_check("api", object(), interval="soon", severity="grave", retries=3)

    assert mistakes(make) == [
        "settings: checks.api: 'api' is the report's own entry; choose another name",
        "settings: checks.api.severity: Input should be 'critical', 'high', 'medium' or 'low'",
        "settings: checks.api.interval: 'soon' is not a duration;"
        " write it like 500ms, 10s, 1h30m or 7d",
        *(line for line in mistakes(make) if "retries" in line),
        "settings: checks.api: object is no check: it has no method run(context)",
    ]


def test_two_checks_of_one_name_are_a_mistake():
    twice = [configure_check("a", Fine()), configure_check("a", Fine())]
    assert mistakes(lambda: settings(checks=twice)) == [
        "settings: checks.a: two checks have this name"
    ]


def test_references_and_cycles_are_found_as_in_a_file():
    def make():
        settings(
            checks=[
                configure_check("a", Fine(), depends_on=["b"]),
                configure_check("b", Fine(), depends_on=["databse"]),
                configure_check("database", Fine()),
            ],
            channels={
                "telegram": {"url": "json://a", "fallback": "mail"},
                "email": {"url": "json://b", "fallback": "email"},
            },
            routes={"high": {"channels": ["telegramm"]}},
            maintenance={"nightly": {"start": "02:00", "duration": "1h", "checks": ["c"]}},
        )

    assert mistakes(make) == [
        "settings: checks.b.depends_on: unknown check 'databse'; did you mean database?",
        "settings: channels.telegram.fallback: unknown channel 'mail'; did you mean email?",
        "settings: channels.email.fallback: goes round in a cycle: email → email",
        "settings: routes.high.channels: unknown channel 'telegramm'; did you mean telegram?",
        "settings: maintenance.nightly.checks: unknown check 'c'; known: a, b, database",
    ]


def test_a_cycle_of_dependencies_is_found_where_every_name_is_known():
    def make():
        checks = [configure_check(n, Fine(), depends_on=[d]) for n, d in (("a", "b"), ("b", "a"))]
        settings(checks=checks)

    assert mistakes(make) == ["settings: checks.a.depends_on: goes round in a cycle: a → b → a"]


def test_wrong_values_and_unknown_keys_are_lines_of_one_error():
    def make():
        settings(
            channels={"telegram": {"url": "json://a", "timeout": "0s"}},
            routes={"grave": {}},
            chanels={},
        )

    assert mistakes(make) == [
        "settings: channels.telegram.timeout: must be more than 0s",
        "settings: routes.grave.[key]: Input should be 'critical', 'high', 'medium' or 'low'",
        "settings: chanels: unknown key; did you mean channels?",
    ]


def test_templates_and_channel_urls_are_looked_at_by_the_watcher_before_it_starts(tmp_path):
    given = settings(
        channels={"telegram": ChannelSettings(url="tgram://nothing")},
        messages=MessageSettings(down={"template": "{{ name"}),
    )
    Health(given).stop()  # it sends nothing
    first, second = mistakes(lambda: make_watcher(given))
    assert first.startswith("settings: messages.down.template: the template does not compile")
    assert second.startswith("settings: channels.telegram.url: not a whole tgram:// ")
    assert list(tmp_path.iterdir()) == []


def test_a_watcher_without_a_file_sends_the_alerts(tmp_path, http_sink):
    import threading

    class Gone(Check):
        def run(self, context):
            return Outcome.unhealthy("connection refused")

    watcher = make_watcher(
        settings(
            store=StoreSettings(url=f"sqlite:///{tmp_path}/store.db"),
            checks=[configure_check("queue", Gone(), interval="50ms", severity="critical")],
            channels={"hook": ChannelSettings(url=http_sink.url("/hook", "json"))},
            routes={"critical": RouteSettings(channels=["hook"])},
        )
    )
    thread = threading.Thread(target=watcher.run)
    thread.start()
    try:
        wait_until(lambda: http_sink.requests)
    finally:
        watcher.stop()
        thread.join(60)
    assert http_sink.requests[0].json()["title"] == "🔴 Queue is DOWN"


def test_the_page_for_a_service_without_a_file_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    snippet = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    namespace = {"__name__": "page"}
    exec(compile(snippet, PAGE.name, "exec"), namespace)
    health = namespace["health"]
    report = health.check_once()
    assert report.result("queue").outcome.details == {"depth": 0}
    assert report.result("worker").check.depends_on == ("queue",)
    with pytest.raises(ConfigError, match="unknown check 'nobody'"):
        exec(compile(snippet.replace('["queue"]', '["nobody"]'), PAGE.name, "exec"), namespace)
