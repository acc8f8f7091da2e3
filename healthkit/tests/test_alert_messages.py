import html
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthkit import CheckInfo, Event, EventKind, Outcome
from healthkit._alerts import messages
from healthkit._alerts.messages import Message
from healthkit._alerts.templates import ENGLISH, INDONESIAN
from healthkit._config.alert_tables import MessageSettings
from healthkit._config.service_tables import ServiceSettings
from healthkit._config.settings import Settings

AT = datetime(2025, 12, 26, 3, 30, 45, tzinfo=UTC)


def settings(service=None, **words):
    words = {k: {"template": v} if k != "language" else v for k, v in words.items()}
    return Settings(
        service=ServiceSettings(
            name="Steak Kenangan POS", timezone="Asia/Jakarta", **(service or {})
        ),
        messages=MessageSettings(**words),
    )


def event(kind=EventKind.DOWN, outcome=None, target="https://your-domain.com/health", **info):
    check = CheckInfo("backend", "Backend Health", target=target, **info)
    return Event(
        kind=kind,
        check=check,
        at=AT,
        outcome=outcome or Outcome.unhealthy("Connection timeout"),
        since=AT - timedelta(seconds=90),
        until=AT,
        incident=7,
        count=2,
    )


def text(event, own=None):
    message = messages.compose(event, own or settings())
    return "\n".join([message.title, *message.lines])


def test_down_is_the_runbooks_template_word_for_word():
    assert text(event()) == (
        "🔴 Backend Health is DOWN\n"
        "URL: https://your-domain.com/health\n"
        "Error: Connection timeout\n"
        "Time: 2025-12-26 10:30:45 WIB\n"
        "Duration: 1m30s\n"
        "Action: Check logs immediately"
    )


def test_up_is_the_runbooks_template_word_for_word():
    assert text(event(EventKind.UP, Outcome.healthy())) == (
        "✅ Backend Health is back UP\n"
        "URL: https://your-domain.com/health\n"
        "Downtime: 1m30s\n"
        "Recovered: 2025-12-26 10:30:45 WIB"
    )


def test_a_certificate_that_runs_out_has_the_runbooks_template_word_for_word():
    outcome = Outcome.degraded(
        "expires in 12 days", days_left=12, expires_at="2026-01-06T20:00:00Z"
    )
    assert text(event(EventKind.DEGRADED, outcome, target="your-domain.com")) == (
        "⚠️ SSL Certificate Expiring Soon\n"
        "Domain: your-domain.com\n"
        "Days Left: 12\n"
        "Renewal Required By: 2026-01-07"
    )


def test_a_message_names_what_it_hides_and_links_the_runbook_of_its_check():
    hiding = event(runbook="#1-service-down")
    hiding = Event(**{**_fields(hiding), "inhibits": ("api", "frontend")})
    lines = text(hiding, settings({"runbook": "https://wiki.example/runbook"})).splitlines()
    assert lines[-2:] == [
        "Quiet while it lasts: api, frontend",
        "Runbook: https://wiki.example/runbook#1-service-down",
    ]


@pytest.mark.parametrize("variable", ["inhibits", "hides"])
def test_a_template_names_the_inhibited_checks_also_by_the_variable_of_version_1_0(variable):
    inhibiting = Event(**{**_fields(event()), "inhibits": ("api", "frontend")})
    own = settings(down=f"Down. Quiet: {{{{ {variable} }}}}")
    assert text(inhibiting, own) == "Down. Quiet: api, frontend"


def _fields(event):
    return {name: getattr(event, name) for name in event.__dataclass_fields__}


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_event_has_words_in_both_languages_without_an_empty_field(kind):
    for language in ("en", "id"):
        lines = text(event(kind), settings(language=language)).splitlines()
        assert len(lines) >= 3
        assert not any(line.endswith(":") for line in lines)


def test_the_indonesian_words_are_indonesian_and_as_many_as_the_english():
    assert set(INDONESIAN) == set(ENGLISH)
    assert text(event(), settings(language="id")).splitlines()[0] == "🔴 Backend Health MATI"
    for kind in ENGLISH:
        names = [set(re.findall(r"{{ (\w+)", words[kind])) for words in (ENGLISH, INDONESIAN)]
        assert names[0] == names[1]


def test_no_secret_of_an_error_comes_into_a_message():
    outcome = Outcome.unhealthy("postgresql://pos:sesame@db/x token=abc123 refused")
    assert "sesame" not in text(event(outcome=outcome))
    assert "abc123" not in text(event(outcome=outcome))


def test_an_error_of_many_lines_takes_one_line_of_the_message():
    outcome = Outcome.unhealthy("first\nsecond\n" + "x" * 5000)
    assert "Error: first" in text(event(outcome=outcome)).splitlines()


def test_configured_words_replace_the_built_in_ones():
    own = settings(down="{{ service }}: {{ name }} down since {{ duration }}\n{{ error }}")
    assert text(event(), own) == (
        "Steak Kenangan POS: Backend Health down since 1m30s\nConnection timeout"
    )


@pytest.mark.parametrize(
    "template",
    ["{{ nonsense }}", "{{ 1 / 0 }}", "{{ ''.__class__.__mro__ }}", "{% if true %} {% endif %}"],
)
def test_words_that_fail_on_a_real_event_fall_back_to_the_plain_ones_and_say_so(template):
    lines = text(event(), settings(down=template)).splitlines()
    assert lines[0] == "🔴 Backend Health is DOWN"
    assert "Error: Connection timeout" in lines
    assert lines[-1].startswith("(The configured wording failed: ")


@pytest.mark.parametrize("answer", ["title", ("a",), ("", ""), (1, 2)])
def test_a_plugin_that_words_nonsense_falls_back_to_the_plain_ones_and_says_so(answer):
    message = messages.compose(event(), settings(), lambda event, language: answer)
    assert message.title == "🔴 Backend Health is DOWN"
    assert "wording failed" in message.lines[-1]


def test_a_plugins_own_words_win_and_are_masked():
    message = messages.compose(
        event(), settings(), lambda e, lang: ("Hey", f"{lang} password=sesame")
    )
    assert message == Message("Hey", ("en password=***MASKED***",))


def test_templates_that_do_not_compile_are_named_with_their_key():
    words = settings(down="{{ name", up="{% if %}", degraded="{{ fine }}").messages
    problems = messages.template_problems(words)
    assert [p.key for p in problems] == ["messages.down.template", "messages.up.template"]
    assert "does not compile" in problems[0].message


@pytest.mark.parametrize(
    ("template", "word"),
    [
        ("{% include 'x' %}", "include"),
        ("{% if state == 'DOWN' %}{% include 'x' ignore missing %}{% endif %}", "include"),
        ("{% import 'x' as y %}", "import"),
        ("{% from 'x' import y %}", "import"),
        ("{% extends 'x' %}", "extend"),
        ("(" * 100_000, None),
        ("{{ " + "(" * 100_000 + " }}", "compile"),
    ],
)
def test_a_template_that_takes_from_another_is_named_before_it_is_needed(template, word):
    problems = messages.template_problems(settings(up=template).messages)
    assert [one.key for one in problems] == (["messages.up.template"] if word else [])
    assert all(word in one.message for one in problems)


def test_a_digest_names_the_first_events_and_counts_the_rest():
    events = [event() for _ in range(500)]
    message = messages.digest(events, settings(), 500, AT, storm=True)
    assert message.title == "📋 Steak Kenangan POS: 500 alerts"
    assert message.lines[0] == "So many came at once that they share one message."
    assert message.lines[1] == "26 Dec 10:30 🔴 Backend Health is DOWN: Connection timeout"
    assert len(message.lines) == 1 + messages.DIGEST_LINES + 1
    assert message.lines[-1] == "… and 480 more, see: healthkit incidents"
    one = messages.digest(events[:1], settings(), 1, AT)
    assert one.title == "📋 Steak Kenangan POS: 1 alert"
    assert len(one.lines) == 1


# Within a channel's limits

WORDS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=40),
    max_size=60,
)
TEXTS = WORDS.flatmap(
    lambda words: st.lists(st.sampled_from([" ", "\n"]), min_size=60, max_size=60).map(
        lambda gaps: "".join(w + g for w, g in zip(words, gaps, strict=False)).strip()
    )
)


@given(TEXTS, st.integers(0, 400))
def test_cutting_breaks_no_word_that_would_leave_half_of_the_room(text, limit):
    kept = messages.cut(text, limit)
    assert len(kept) <= limit
    if kept == text or limit < 2:
        return
    assert kept.endswith("…")
    assert text.startswith(kept[:-1])
    end = len(kept) - 1
    whole = text[end] in " \n"
    longest = max(len(word) for word in text.split())
    assert whole or longest > limit // 2 - 2


@given(TEXTS, TEXTS, st.integers(1, 300), st.sampled_from([0, 50]))
def test_html_within_its_limit_is_never_broken_and_says_only_what_was_meant(
    title, body, limit, title_limit
):
    message = Message.parse(f"{title}\n{body}")
    _, marked = messages.format_for_channel(message, "html", limit, title_limit)
    if limit >= 30:
        assert len(marked) <= limit
    without = re.sub(r"</?b>|<br/>", "", marked)
    assert "<" not in without
    assert ">" not in without
    assert marked.count("<b>") == marked.count("</b>")
    assert re.sub(r"&(amp|lt|gt);", "", without).count("&") == 0
    said = html.unescape(without).replace("…", "").replace("\u200b", "").split("\n")
    whole = "\n".join([message.title, *message.lines]).replace("…", "")
    assert all(line in whole for line in said)


@given(TEXTS, st.integers(30, 300))
def test_markdown_within_its_limit_is_escaped_whole(text, limit):
    _, marked = messages.format_for_channel(Message.parse("Title\n" + text), "markdown", limit, 0)
    assert len(marked) <= limit
    body = marked.replace("**Title**", "", 1)
    bare = re.sub(r"https?://\S+", "", re.sub(r"\\.", "", body))
    assert not re.search(r"[`*_\[\]<>#|~{}]", bare)


def test_an_address_stays_one_in_markdown_and_html():
    message = Message("T", ("Runbook: https://wiki.example/a_b*c#x",))
    _, marked = messages.format_for_channel(message, "markdown", 999, 0)
    (link,) = re.findall(r"https?://\S+", marked)
    assert unquote(link) == "https://wiki.example/a_b*c#x"
    assert not re.search(r"[*_]", link), "an address ends no emphasis and begins none"
    assert "https://wiki.example/a_b*c#x" in messages.format_for_channel(message, "html", 999, 0)[1]


CALLS = ["@everyone", "@here", "@channel", "@all", "@room", "@budi", "<@123>", "<@&5>", "<!here>"]


@pytest.mark.parametrize("kind", ["text", "html", "markdown"])
@given(st.sampled_from([*CALLS, "<!channel>", "<!subteam^S1>", "<#C1>"]), TEXTS, TEXTS)
def test_the_text_of_a_stranger_calls_nobody(kind, call, before, after):
    for glue in ("", " ", "(", "/", "https://a.example/"):
        message = Message.parse(f"{glue}{call} down\n{before} {glue}{call}{after}")
        for part in messages.format_for_channel(message, kind, 2_000, 250):
            seen = html.unescape(part).replace("\\", "")
            assert not re.search(r"(?<!\w)@\w|<[@!#&]", seen), part
            assert (
                "mail@example.com"
                in messages.format_for_channel(
                    Message("T", ("to mail@example.com",)), kind, 99, 20
                )[1]
            ), "an address of mail is none"


@pytest.mark.parametrize("kind", [EventKind.DOWN, EventKind.DEGRADED, EventKind.REMINDER])
@pytest.mark.parametrize(
    "own",
    [
        {"limit": 100, "spent": 600},
        {"label": "x", "window": "30d", "target": "1/0", "gone_in_seconds": None},
        {"label": "x", "window": ["30d"], "target": 1, "gone_in_seconds": 0},
    ],
)
def test_a_plugins_detail_that_is_named_budget_is_no_objectives(kind, own):
    said = text(event(kind, Outcome.unhealthy("the cloud costs 600 of 100", budget=own)))
    assert "the cloud costs 600 of 100" in said
    assert said == text(event(kind, Outcome.unhealthy("the cloud costs 600 of 100")))


@pytest.mark.parametrize("kind", ["text", "html", "markdown"])
@pytest.mark.parametrize("call", ["@everyone", "@here"])
@pytest.mark.parametrize("glue", ["x", "_", "é", "7", "https://a.example/x"])
def test_everyone_is_called_by_nothing_that_stands_before(kind, call, glue):
    """Discord calls them in the midst of a word too."""
    message = Message.parse(f"{glue}{call} down\n{glue}{call}")
    for part in messages.format_for_channel(message, kind, 2_000, 250):
        assert call not in html.unescape(part).replace("\\", "")


def test_a_channel_with_titles_gets_the_title_apart_and_one_without_as_its_first_line():
    message = Message("Title", ("one", "two"))
    assert messages.format_for_channel(message, "text", 999, 250) == ("Title", "one\ntwo")
    assert messages.format_for_channel(message, "text", 999, 0) == ("", "Title\none\ntwo")
    assert messages.format_for_channel(Message("Title"), "text", 999, 250) == ("Title", "Title")
