import textwrap
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from healthkit import (
    Check,
    ConfigError,
    Health,
    Outcome,
    ServiceSettings,
    Settings,
    hookimpl,
    load_settings,
)
from healthkit._config.references import find_cycle
from healthkit._config.source import LARGEST
from healthkit._plugins import PluginManager
from healthkit._reading import read_settings
from healthkit.fields import Duration


class Freezer(Check):
    sensor: str
    warmest: float = -18.0

    def run(self, context):
        return Outcome.healthy()

    def target(self):
        return f"sensor {self.sensor}"


class Plain:
    """A check type that is no pydantic model."""

    made: ClassVar[list] = []

    def __init__(self, *, colour: str, size: int = 3):
        if colour == "bad":
            raise ValueError("no such colour")
        self.made.append((colour, size))

    def run(self, context):
        return Outcome.healthy()


class Plugin:
    @hookimpl
    def healthkit_check_types(self):
        return {"freezer": Freezer, "plain": Plain}


@pytest.fixture
def plugins():
    return PluginManager([Plugin()], entry_points=False)


def problems(document, plugins, environ=None):
    with pytest.raises(ConfigError) as caught:
        read_settings(document, plugins, environ or {})
    return [str(problem) for problem in caught.value.problems]


SERVICE = {"service": {"name": "x"}}


def test_a_whole_file_becomes_settings(tmp_path, plugins):
    path = tmp_path / "healthkit.toml"
    path.write_text(
        textwrap.dedent("""
        [service]
        name = "Steak Kenangan POS"
        timezone = "Asia/Jakarta"
        [checks.cold]
        type = "freezer"
        sensor = "${SENSOR}"
        severity = "critical"
        interval = "10s"
        timeout = "2s"
        [checks.page]
        type = "plain"
        colour = "red"
        depends_on = ["cold"]
        [channels.telegram]
        url = "${TELEGRAM:-}"
        [channels.email]
        url = "mailto://user:password@example.com"
        fallback = "telegram"
        [routes.critical]
        channels = ["telegram", "email"]
        remind_every = "30m"
        """)
    )
    settings = read_settings(path, plugins, {"SENSOR": "S1"})
    cold, page = settings.checks
    assert cold.info.target == "sensor S1"
    assert cold.info.timeout.total_seconds() == 2
    assert cold.info.label == "Cold"
    assert page.info.depends_on == ("cold",)
    assert Plain.made[-1] == ("red", 3)
    assert not settings.channels["telegram"].enabled
    assert settings.routes["critical"].remind_every.total_seconds() == 1800


def test_every_mistake_is_named_at_once_with_its_line_and_the_nearest_right_name(tmp_path, plugins):
    path = tmp_path / "healthkit.toml"
    path.write_text(
        textwrap.dedent("""\
        [service]
        nam = "x"
        timezone = "Asia/Jakart"
        [chekcs.a]
        type = "freezer"
        [checks.a]
        type = "freezer"
        sensor = "${MISSING}"
        intervall = "1s"
        timeout = "-2s"
        fail_after = 0
        depends_on = ["bb"]
        [checks.b]
        type = "freezr"
        [routes.critcal]
        channels = ["tellegram"]
        [routes.high]
        channels = ["tellegram"]
        [channels.telegram]
        url = "xyz://a"
        fallback = "telegram"
        [channels.whatsapp]
        url = "tgram://sesame"
        [routes.low]
        escalate_after = "5m"
        [messages.down]
        template = "{{ name"
        [watch]
        heartbeat = "kuma"
        """)
    )
    with pytest.raises(ConfigError) as caught:
        read_settings(path, plugins, {})
    lines = {line.removeprefix(f"{path}: ") for line in caught.value.lines()}
    assert lines >= {
        "line 4: chekcs: unknown table; did you mean checks?",
        "line 1: service.name: missing",
        "line 2: service.nam: unknown key; did you mean name?",
        "line 9: checks.a.intervall: unknown key; did you mean interval?",
        "line 12: checks.a.depends_on: unknown check 'bb'; did you mean b?",
        "line 15: routes.critcal: unknown severity; did you mean critical?",
        "line 18: routes.high.channels: unknown channel 'tellegram'; did you mean telegram?",
        "line 21: channels.telegram.fallback: goes round in a cycle: telegram → telegram",
        "line 20: channels.telegram.url: no Apprise address: 'xyz' is no service it knows",
        "line 24: routes.low: escalate_after and escalate_to go together",
    }
    text = "\n".join(lines)
    assert "sesame" not in text
    for part in (
        "Asia/Jakart",
        "environment variable MISSING is not set",
        "line 10: checks.a.timeout",
        "line 11: checks.a.fail_after",
        "line 23: channels.whatsapp.url: not a whole tgram:// address; write it like tgram://",
        "line 27: messages.down.template: the template does not compile",
        "line 29: watch.heartbeat: must be an address like https://",
        "line 14: checks.b.type: no plugin offers the type 'freezr'; did you mean freezer?",
    ):
        assert part in text


def test_a_secret_in_a_wrong_value_is_not_repeated(plugins):
    document = {**SERVICE, "channels": {"tg": {"url": ["tgram://123:sesame@host"]}}}
    assert "sesame" not in "".join(problems(document, plugins))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[service", "not valid TOML"),
        (b"\xff\xfe", "not UTF-8"),
        (b"x = " + b"[" * 5_000 + b"]" * 5_000, "nested too deep"),
        (b"x = " + b"1" * 5_000, "a number has thousands of digits"),
        (b"[" + b"a." * 3_000 + b"a]\nx = 1", "deeper than 50 levels"),
        (b"#" * (LARGEST + 1), "larger than 10 MB"),
    ],
    ids=["open", "no-text", "lists", "digits", "tables", "large"],
)
def test_a_file_that_cannot_be_parsed_is_one_line(tmp_path, plugins, content, words):
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        read_settings(path, plugins)


@pytest.mark.parametrize("url", ["hush", "gopher://u:hush@h/n", "postgresql://u:hush@h:99999/n"])
def test_a_store_that_is_no_database_is_a_mistake_before_any_check_runs(plugins, url):
    (problem,) = problems({**SERVICE, "store": {"url": url}}, plugins)
    assert problem.startswith("store.url: ")
    assert "hush" not in problem


def test_a_file_that_is_not_there_tells_how_to_make_one(tmp_path, plugins):
    with pytest.raises(ConfigError, match="healthkit init"):
        read_settings(tmp_path / "none.toml", plugins)


@pytest.mark.parametrize("value", [3, "text", [], [{}], True])
@pytest.mark.parametrize("table", ["service", "checks", "channels", "routes", "store", "watch"])
def test_a_table_of_the_wrong_type_is_a_mistake_not_a_traceback(plugins, table, value):
    assert any(table in line for line in problems({**SERVICE, table: value}, plugins))


@pytest.mark.parametrize(
    ("table", "keys", "said"),
    [
        ("store", {"url": ""}, "store.url: not a database URL; write it like postgresql://"),
        ("store", {"url": "foo://x"}, "store.url: no database is known as 'foo'"),
        ("store", {"url": "postgresql://u:p@ss@h/x"}, "store.url: its host holds an @"),
        ("store", {"url": "sqlite:///a\0b"}, "store.url: it holds a NUL"),
        ("watch", {"heartbeat": "https://["}, "watch.heartbeat: must be an address like"),
        ("links", {"url": "https://h:99999/"}, "links.url: must be an address like"),
        ("links", {"url": "https://a..b/"}, "links.url: must be an address like"),
        ("routes", {"high": {"channels": 5}}, "routes.high.channels: must be a list, written ["),
        ("checks", {1: {"type": "freezer"}}, "checks: the key 1 is no text"),
        (1, {}, "the key 1 is no text"),
    ],
)
def test_a_value_that_cannot_be_used_is_told_by_its_key(plugins, table, keys, said):
    with pytest.raises(ConfigError) as refused:
        read_settings({**SERVICE, table: keys}, plugins)
    assert any(said in line for line in refused.value.lines())
    assert "p@ss" not in str(refused.value)


@pytest.mark.parametrize("value", [3, [], ["freezer"], {"a": 1}, True, 1.5])
def test_a_type_that_is_no_text_is_told_by_its_key(plugins, value):
    found = problems({**SERVICE, "checks": {"a": {"type": value}}}, plugins)
    assert found == ["checks.a.type: Input should be a valid string"]


def test_a_check_for_the_watcher_alone_does_not_run_in_a_process_that_serves(tmp_path, plugins):
    path = tmp_path / "healthkit.toml"
    lines = (
        '[checks.a]\ntype = "freezer"\nsensor = "1"\n[checks.b]\ntype = "freezer"\nsensor = "2"\n'
    )
    path.write_text(f'[service]\nname = "x"\n{lines}watch_only = true\n')
    serving = Health.from_file(path, plugins=[Plugin()])
    assert [check.info.name for check in serving.settings.checks] == ["a"]
    assert [check.info.name for check in read_settings(path, plugins).checks] == ["a", "b"]


def test_a_cycle_of_dependencies_is_found(plugins):
    checks = {
        n: {"type": "freezer", "sensor": "s", "depends_on": [d]}
        for n, d in [("a", "b"), ("b", "c"), ("c", "a")]
    }
    assert any("a → b → c → a" in p for p in problems({**SERVICE, "checks": checks}, plugins))
    assert find_cycle({"a": ("b", "c"), "b": ("c",), "c": ()}) == ()


@pytest.mark.parametrize("name", ["api", "uptime", "a b", "", "x" * 65, "ä"])
def test_a_check_cannot_have_a_name_that_a_report_cannot_show(plugins, name):
    checks = {name: {"type": "freezer", "sensor": "s"}}
    assert problems({**SERVICE, "checks": checks}, plugins)


def test_a_plain_class_is_validated_by_its_signature(plugins):
    checks = {
        "a": {"type": "plain", "colour": 3},
        "b": {"type": "plain", "colour": "red", "siz": 1},
        "c": {"type": "plain"},
        "d": {"type": "plain", "colour": "bad"},
    }
    found = problems({**SERVICE, "checks": checks}, plugins)
    assert "checks.b.siz: unknown key; did you mean size?" in found
    assert "checks.c.colour: missing" in found
    assert "checks.d: ValueError: no such colour" in found


def test_a_live_object_reaches_the_check_that_no_file_could_give_it():
    class Engine:
        pass

    class Database(Check):
        engine: Engine

        def run(self, context):
            return Outcome.healthy(engine=id(self.engine))

    class Offer:
        @hookimpl
        def healthkit_check_types(self):
            return {"db": Database}

    engine = Engine()
    settings = read_settings(
        {**SERVICE, "checks": {"database": {"type": "db"}}},
        PluginManager([Offer()], entry_points=False),
        resources={"database": {"engine": engine}},
    )
    with Health(settings) as health:
        assert health.check_once().result("database").outcome.details["engine"] == id(engine)


def test_a_plugin_brings_checks_of_its_own_and_the_file_wins_over_them(plugins):
    from healthkit._model.checks import CheckInfo

    class Offer:
        @hookimpl
        def healthkit_checks(self):
            return [
                (CheckInfo("own", "Own"), Freezer(sensor="a")),
                (CheckInfo("cold", "Cold"), Freezer(sensor="plugin")),
            ]

    manager = PluginManager([Plugin(), Offer()], entry_points=False)
    checks = {"cold": {"type": "freezer", "sensor": "file", "depends_on": ["own"]}}
    settings = read_settings({**SERVICE, "checks": checks}, manager)
    assert {c.info.name: c.check.sensor for c in settings.checks} == {"cold": "file", "own": "a"}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_file_from_windows_is_read_with_its_mark_and_its_line_ends(tmp_path, mark, newline):
    lines = [
        "[service]",
        'name = "x"\nurl = "Till \u2028"',
        "[store]",
        'url = "sqlite:///x.db"',
        "colour = 1",
    ]
    file = tmp_path / "healthkit.toml"
    file.write_bytes(mark + newline.join(lines[:-1]).encode())
    assert load_settings(file, environ={}).service.url == "Till \u2028"
    file.write_bytes(mark + newline.join(lines).encode())
    with pytest.raises(ConfigError) as caught:
        load_settings(file, environ={})
    (problem,) = caught.value.problems
    assert (problem.key, problem.line) == ("store.colour", 6)


class Tagged(Check):
    """A type whose own keys have the names of keys that every check has."""

    tags: tuple[str, ...] = ()
    label: str = "none"
    timeout: Duration = timedelta(seconds=1)

    def run(self, context):
        return Outcome.healthy(", ".join(self.tags))


class PlainlyTagged:
    def __init__(self, tags: list[str]):
        self.tags = tuple(tags)

    def run(self, context):
        return Outcome.healthy()


class TaggedPlugin:
    @hookimpl
    def healthkit_check_types(self):
        return {"tagged": Tagged, "plainly-tagged": PlainlyTagged}


@pytest.mark.parametrize("kind", ["tagged", "plainly-tagged"])
def test_a_types_own_key_of_a_name_that_every_check_has_is_given_to_both(kind):
    table = {"type": kind, "tags": ["kitchen", "cold"]}
    document = {"service": {"name": "x"}, "checks": {"a": table}}
    (made,) = load_settings(document, environ={}, plugins=[TaggedPlugin()]).checks
    assert made.check.tags == ("kitchen", "cold")
    assert made.info.tags == ("kitchen", "cold")


def test_every_key_that_a_type_declares_reaches_it():
    table = {"type": "tagged", "label": "Freezer", "timeout": "3s"}
    document = {"service": {"name": "x"}, "checks": {"a": table}}
    (made,) = load_settings(document, environ={}, plugins=[TaggedPlugin()]).checks
    assert (made.check.label, made.info.label) == ("Freezer", "Freezer")
    assert made.check.timeout == made.info.timeout == timedelta(seconds=3)


# Where the store lies


@pytest.mark.parametrize("named", ["", '[store]\nurl = "sqlite:///var/healthkit.db"'])
def test_the_store_of_a_file_lies_beside_it_from_wherever_it_is_read(tmp_path, monkeypatch, named):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/healthkit.toml").write_text(f'[service]\nname = "x"\n{named}')
    urls = set()
    for folder, path in (("/", tmp_path / "etc"), (tmp_path, "etc"), (tmp_path / "etc", ".")):
        monkeypatch.chdir(folder)
        urls.add(load_settings(Path(path) / "healthkit.toml", environ={}).store_url)
    assert urls == {f"sqlite:///{tmp_path}/etc/var/healthkit.db"}


@pytest.mark.parametrize(
    "url",
    ["sqlite:////srv/x.db", "sqlite:///:memory:", "sqlite://", "postgresql://u@h/d"],
)
def test_an_address_that_depends_on_no_folder_stays_as_it_is(tmp_path, url):
    if url.startswith("postgresql"):
        pytest.importorskip("psycopg2", reason="the extra [postgres] is not installed")
    (tmp_path / "healthkit.toml").write_text(f'[service]\nname = "x"\n[store]\nurl = "{url}"')
    assert load_settings(tmp_path / "healthkit.toml", environ={}).store_url == url


def test_without_a_file_the_store_lies_among_the_users_state_by_the_services_name(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    urls = set()
    for folder in ("/", tmp_path):
        monkeypatch.chdir(folder)
        urls.add(Settings(service=ServiceSettings(name="Steak / Kenangan POS")).store_url)
    assert urls == {f"sqlite:///{tmp_path}/healthkit/Steak-Kenangan-POS.db"}
