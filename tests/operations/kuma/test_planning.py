"""The plan for a Kuma is a pure function of what is declared and what is there."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posapp.operations.kuma.declared import MONITORS, Declared, KumaError, load
from posapp.operations.kuma.planning import PAGE_MARK, TAG, Remote, plan

ENVIRON = {
    "POS_URL": "https://pos.example",
    "KUMA_TELEGRAM_TOKEN": "1:a",
    "KUMA_TELEGRAM_CHAT": "2",
    **{f"KUMA_SMTP_{name}": name for name in ("HOST", "USERNAME", "PASSWORD", "FROM", "TO")},
}
DECLARED = load(MONITORS, ENVIRON)
"""Discord is off in it."""


def applied(declared):
    """A Kuma to which a plan was applied, in the words of 1.23: true is 1, ids count up."""
    numbers, notifications, monitors, windows, pages = {}, [], [], [], []
    for step in plan(declared, Remote()):
        form = dict(step.form)
        numbers[step.kind, step.key] = number = len(numbers) + 1
        if step.kind == "notification":
            notifications.append({"id": number, **form})
        elif step.kind == "monitor":
            linked = [numbers["notification", key] for key in form.pop("notifications")]
            plain = {key: int(one) if isinstance(one, bool) else one for key, one in form.items()}
            tags = [{"name": TAG, "value": step.key}]
            monitors.append({"id": number, "notificationIDList": linked, "tags": tags, **plain})
        elif step.kind == "maintenance":
            times = [
                {"hours": int(form[one][:2]), "minutes": int(form[one][3:])}
                for one in ("start", "end")
            ]
            ids = [numbers["monitor", key] for key in form["monitors"]]
            there = {"timeRange": times, "timezoneOption": form["timezone"], "monitors": ids}
            windows.append({"id": number, **form, **there})
        else:
            groups = [
                {"name": name, "monitorList": [{"id": numbers["monitor", key]} for key in keys]}
                for name, keys in form["groups"].items()
            ]
            there = {"slug": step.key, "customCSS": PAGE_MARK, "publicGroupList": groups}
            pages.append({"id": number, "title": form["title"], **there})
    return Remote(tuple(monitors), tuple(notifications), tuple(pages), tuple(windows))


def changed(**tables):
    document = DECLARED.model_dump()
    for table, entries in tables.items():
        for key, fields in entries.items():
            document[table][key] = {**document[table].get(key, {}), **fields}
    return Declared.model_validate(document)


def without(table, key):
    document = copy.deepcopy(DECLARED.model_dump())
    del document[table][key]
    return document


def test_the_file_declares_the_monitors_of_the_runbook():
    found = {one.name: (int(one.interval.total_seconds()), one.retries, one.url)
             for one in DECLARED.monitors.values() if one.type != "push"}  # fmt: skip
    assert found == {
        "Backend Health": (60, 3, "https://pos.example/health"),
        "Backend API": (120, 2, "https://pos.example/api/v1/public/menu"),
        "Frontend": (60, 3, "https://pos.example/"),
        "Database (via backend)": (300, 2, "https://pos.example/health"),
        "SSL Certificate": (86400, 1, "https://pos.example/livez"),
    }
    assert DECLARED.monitors["certificate"].certificate
    assert DECLARED.monitors["database"].json_path == "$.checks.database.status"


def test_the_push_addresses_go_where_they_are_read():
    from posapp.settings import Settings

    variables = {one.variable for one in DECLARED.monitors.values()} - {None, "WATCH_HEARTBEAT"}
    assert {name.lower() for name in variables} <= set(Settings.model_fields)
    assert "${WATCH_HEARTBEAT:-}" in (MONITORS.parents[2] / "healthkit.toml").read_text()


def test_an_empty_kuma_gets_all_in_an_order_in_which_each_finds_what_it_refers_to():
    kinds = [step.kind for step in plan(DECLARED, Remote())]
    assert set(kinds) == {"notification", "monitor", "maintenance", "status page"}
    assert kinds == sorted(
        kinds, key=["notification", "monitor", "maintenance", "status page"].index
    )


def test_after_it_was_applied_a_plan_is_empty():
    assert plan(DECLARED, applied(DECLARED)) == []


FIELDS = {
    "name": ("Other", "name"),
    "interval": ("90s", "interval"),
    "retries": (7, "maxretries"),
    "url": ("https://other.example/", "url"),
    "certificate": (True, "expiryNotification"),
    "retry_interval": ("21s", "retryInterval"),
    "notifications": (("email",), "notifications"),
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_change_in_the_file_changes_that_monitor_in_place(name):
    value, field = FIELDS[name]
    (step,) = plan(changed(monitors={"frontend": {name: value}}), applied(DECLARED))
    assert (step.action, step.kind, step.key) == ("update", "monitor", "frontend")
    assert field in step.fields
    assert set(step.fields) <= {field, "retryInterval"}  # which follows the interval
    assert step.id is not None


@given(st.permutations(list(DECLARED.monitors)).map(lambda keys: set(keys[:3])))
def test_what_a_person_made_is_never_part_of_a_plan(keys):
    """Monitors with the names of ours and without the tag, or with other tags; notifications."""
    there = applied(DECLARED)
    names = [DECLARED.monitors[key].name for key in sorted(keys)]
    by_hand = tuple(
        {"id": 900 + place, "name": name, "type": "http", "tags": [{"name": "pos", "value": name}]}
        for place, name in enumerate(names)
    )
    others = ({"id": 99, "name": "POS Alerts - Telegram", "type": "telegram"},)
    linked = tuple({**one, "notificationIDList": [*one["notificationIDList"], 99]}
                   for one in there.monitors)  # fmt: skip
    pages = ({"id": 77, "slug": "mine", "title": "Steak Kenangan", "publicGroupList": []},)
    windows = ({"id": 66, "title": "Update window", "description": "mine", "monitors": []},)
    mixed = Remote(
        linked + by_hand,
        there.notifications + others,
        there.pages + pages,
        there.maintenances + windows,
    )
    assert plan(DECLARED, mixed) == []


def test_a_copy_that_a_person_made_of_ours_is_not_taken_for_it():
    there = applied(DECLARED)
    copied = {**there.monitors[0], "id": 500, "name": "my copy"}
    assert plan(DECLARED, Remote((copied, *there.monitors), *_rest(there))) == []


def _rest(there):
    return there.notifications, there.pages, there.maintenances


@pytest.mark.parametrize(
    ("table", "key", "kind"),
    [
        ("monitors", "backup-drill", "monitor"),
        ("notifications", "telegram", "notification"),
        ("maintenance", "update", "maintenance"),
    ],
)
def test_what_is_declared_no_more_is_removed_last_and_nothing_else_is(table, key, kind):
    steps = plan(Declared.model_validate(without(table, key)), applied(DECLARED))
    assert [step.key for step in steps if step.action == "remove"] == [key]
    assert steps[-1].kind == kind
    assert {step.action for step in steps[:-1]} <= {"update"}


def test_a_notification_without_a_value_is_off():
    declared = load(MONITORS, {"POS_URL": "https://pos.example"})
    assert declared.enabled_notifications() == {}
    steps = plan(declared, Remote())
    assert not [step for step in steps if step.kind == "notification"]
    assert all(not step.form["notifications"] for step in steps if step.kind == "monitor")


def test_a_changed_secret_is_an_update_that_does_not_show_it():
    declared = load(MONITORS, {**ENVIRON, "KUMA_TELEGRAM_TOKEN": "9:geheim"})
    (step,) = plan(declared, applied(DECLARED))
    assert step.line() == "update notification 'POS Alerts - Telegram': telegramBotToken"


def test_a_monitor_that_was_deleted_by_hand_comes_back_and_its_places_with_it():
    there = applied(DECLARED)
    left = tuple(one for one in there.monitors if one["name"] != "Frontend")
    steps = plan(DECLARED, Remote(left, *_rest(there)))
    assert [(step.action, step.kind) for step in steps] == [
        ("create", "monitor"),
        ("update", "maintenance"),
        ("update", "status page"),
    ]


def test_a_status_page_made_by_hand_at_our_address_stops_the_plan():
    page = {"id": 1, "slug": "pos", "title": "mine", "customCSS": None, "publicGroupList": []}
    with pytest.raises(KumaError, match="made by hand; choose another slug"):
        plan(DECLARED, Remote(pages=(page,)))


@pytest.mark.parametrize(
    ("days", "numbers"), [(["mon"], [1]), (["sun", "sat"], [0, 6]), (["tue", "thu"], [2, 4])]
)
def test_days_are_those_of_cron(days, numbers):
    steps = plan(changed(maintenance={"update": {"days": days}}), Remote())
    assert next(s for s in steps if s.kind == "maintenance").form["weekdays"] == numbers
