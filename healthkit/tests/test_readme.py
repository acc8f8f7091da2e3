"""The documentation is the whole of what a user may rely on."""

import inspect
import re
from pathlib import Path

import healthkit
from healthkit import _hookspecs
from healthkit.testing import wait_until

TESTS = Path(__file__).parent
DOCS = TESTS.parent / "docs"
HOOKS = {name: one for name, one in vars(_hookspecs).items() if name.startswith("healthkit_")}


def first_cells(page, heading):
    """The first cells of the table whose first heading is this."""
    lines = iter((DOCS / page).read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.startswith(f"| {heading} |"):
            next(lines)
            for row in lines:
                if not row.startswith("|"):
                    return
                yield row.split("|")[1].strip()


def codes(text):
    return re.findall(r"`([^`]+)`", text)


def test_every_hook_stands_in_the_table_with_its_arguments():
    table = [codes(cell)[0] for cell in first_cells("reference/hooks.md", "hook")]
    arguments = {
        name: ", ".join(inspect.signature(hook).parameters) for name, hook in HOOKS.items()
    }
    assert table == [f"{name}({arguments[name]})" for name in HOOKS]


def test_every_hook_has_a_test_that_is_named_after_it():
    sources = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.glob("test_*.py"))
    tests = re.findall(r"def (test_\w+)\(", sources)
    assert [hook for hook in HOOKS if not any(hook in test for test in tests)] == []


def test_what_is_public_is_what_is_documented():
    table = [name for cell in first_cells("reference/names.md", "name") for name in codes(cell)]
    assert sorted(table) == sorted(healthkit.__all__)


def test_what_the_page_on_alerts_configures_is_delivered(site, http_sink, other_sink, monkeypatch):
    """The example of the alerts as it stands, with a check that names no severity and a critical
    one: each address gets both faults and both ends."""
    page = (DOCS / "how-to/alerts.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    assert example.count("sqlite:///var/healthkit.db") == 1
    checks = "".join(
        f'[checks.{name}]\ntype = "from-file"\nfile = "{site.folder}/{name}"\n'
        f'interval = "100ms"\nfail_after = 1\nrecover_after = 1\n{more}'
        for name, more in (("stove", 'severity = "critical"\n'), ("fridge", ""))
    )
    monkeypatch.setenv("TELEGRAM_URL", http_sink.url("/telegram", "json"))
    monkeypatch.setenv("EMAIL_URL", other_sink.url("/email", "json"))
    monkeypatch.setenv("CALL_URL", other_sink.url("/call", "json"))
    own_store = example.replace("sqlite:///var/healthkit.db", site.url)
    site.config.write_text(f'[service]\nname = "Till"\n{own_store}{checks}')
    for name in ("stove", "fridge"):
        (site.folder / name).write_text("unhealthy cold")
    site.thread()

    def titles(sink):
        return sorted(request.json()["title"] for request in list(sink.requests))

    down = ["🔴 Fridge is DOWN", "🔴 Stove is DOWN"]
    wait_until(lambda: titles(http_sink) == titles(other_sink) == down)
    for name in ("stove", "fridge"):
        (site.folder / name).write_text("healthy")
    up = ["✅ Fridge is back UP", "✅ Stove is back UP"]
    wait_until(lambda: titles(http_sink) == titles(other_sink) == [*up, *down])
