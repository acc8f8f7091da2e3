"""A check and a group have paths of their own, each with its rule."""

import pytest
from werkzeug.test import Client

from healthkit import ConfigError, Health, Outcome, load_settings
from healthkit._config.groups import group_path
from healthkit.testing import ScriptedCheck
from healthkit.web import wsgi


@pytest.fixture
def parted():
    """Two groups and one check outside them, with the rule of each."""

    def settings(bad=(), rules=None):
        document = {
            "service": {"name": "Shop"},
            "checks": {
                name: {"type": "heartbeat", "every": "1h", "role": role, **more}
                for name, role, more in [
                    ("till", "required", {"group": "Front of house"}),
                    ("screen", "advisory", {"group": "Front of house"}),
                    ("backup", "advisory", {"group": "Backups"}),
                    ("copy", "advisory", {"group": "Backups"}),
                    ("alone", "advisory", {}),
                ]
            },
            "groups": {name: {"fails": rule} for name, rule in (rules or {}).items()},
        }
        found = load_settings(document)
        checks = [
            one.model_copy(
                update={
                    "check": ScriptedCheck(
                        outcome=(lambda: Outcome.unhealthy("gone"))
                        if one.info.name in bad
                        else Outcome.healthy
                    )
                }
            )
            for one in found.checks
        ]
        return found.model_copy(update={"checks": tuple(checks)})

    return settings


@pytest.mark.parametrize(
    ("bad", "rules", "path", "code"),
    [
        ((), {}, "/health/front-of-house", 200),
        (("till",), {}, "/health/front-of-house", 503),
        (("screen",), {}, "/health/front-of-house", 200),
        (("till",), {}, "/health/backups", 200),
        (("backup", "copy"), {}, "/health/backups", 200),
        (("backup",), {"backups": "any"}, "/health/backups", 503),
        (("backup",), {"backups": "all"}, "/health/backups", 200),
        (("backup", "copy"), {"backups": "all"}, "/health/backups", 503),
        (("alone",), {}, "/health/check/alone", 503),
        (("alone",), {}, "/health", 200),
        (("till",), {}, "/health/check/alone", 200),
    ],
)
def test_a_group_and_a_check_have_a_path_and_a_rule_of_their_own(
    parted, says_hello, bad, rules, path, code
):
    health = Health(parted(bad, rules))
    health.check_once()
    client = Client(wsgi.HealthMiddleware(says_hello, health))
    answer = client.get(path)
    assert answer.status_code == code
    assert client.head(path).status_code == code
    assert client.post(path).status_code == 405
    shown = set(answer.json["checks"]) - {"api"}
    everything = {"till", "screen", "backup", "copy", "alone"}
    assert (
        shown
        == {
            "/health/front-of-house": {"till", "screen"},
            "/health/backups": {"backup", "copy"},
            "/health/check/alone": {"alone"},
            "/health": everything,
        }[path]
    )
    assert answer.json["status"] == ("unhealthy" if code == 503 else answer.json["status"])
    assert "till" not in client.get("/health/backups?format=text").text


@pytest.mark.parametrize(
    ("more", "key", "said"),
    [
        ({"groups": {"frnt": {}}}, "groups.frnt", "did you mean front"),
        ({"groups": {"front": {"fails": "some"}}}, "groups.front.fails", "required"),
        ({"groups": {"front": {"checks": []}}}, "groups.front.checks", "unknown key"),
        ({"group": "Beat"}, "checks.till.group", "taken"),
        ({"group": "check!"}, "checks.till.group", "taken"),
    ],
)
def test_a_mistake_in_a_group_is_named(more, key, said):
    check = {"type": "heartbeat", "every": "1h", "group": more.get("group", "Front")}
    document = {"service": {"name": "Shop"}, "checks": {"till": check}}
    if "groups" in more:
        document["groups"] = more["groups"]
    with pytest.raises(ConfigError) as raised:
        load_settings(document)
    (problem,) = (one for one in raised.value.problems if one.key == key)
    assert said in problem.message


@pytest.mark.parametrize(
    ("group", "path"),
    [
        ("Front of house", "front-of-house"),
        ("  Küche & Bar_2 ", "kuche-bar-2"),
        ("../x", "x"),
        ("厨房", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_group_has_a_name_that_any_path_can_hold(group, path):
    assert group_path(group) == path


def test_no_name_of_a_check_or_a_group_reaches_further_than_it_should(parted, says_hello):
    client = Client(wsgi.HealthMiddleware(says_hello, Health(parted())))
    assert client.get("/health/check/none").status_code == 404
    for others in ("/health/", "/health/none", "/health/alone", "/health/check", "/health/x/y"):
        assert client.get(others).text == "hello", "it is the application's"
    renamed = Client(wsgi.HealthMiddleware(says_hello, Health(parted()), {"/z": "plain"}))
    assert renamed.get("/health/backups").text == "hello"
    strangers = wsgi.HealthMiddleware(says_hello, Health(parted()), None, lambda environ: False)
    refused = Client(strangers).get("/health/backups?format=prometheus")
    assert refused.status_code == 401
