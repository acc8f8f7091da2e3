"""Forms of a report for other programs: Nagios' plugins' output, and JUnit's XML."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as Xml

from healthkit._model.checks import Report, Result, Status
from healthkit.masking import escape_controls, mask, one_line, shorten

LONGEST_FIRST_LINE = 80
NAGIOS_UNKNOWN = 3
_LONGEST_LINE = 1_000
_NAGIOS = {
    Status.HEALTHY: (0, "OK"),
    Status.DEGRADED: (1, "WARNING"),
    Status.UNHEALTHY: (2, "CRITICAL"),
    Status.UNKNOWN: (NAGIOS_UNKNOWN, "UNKNOWN"),
}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def nagios(report: Report) -> tuple[int, str]:
    """Returns the exit code and the output by Nagios' contract: a line of 80 characters at most, a
    line for each check, and behind `|` what each took, in seconds."""
    code, word = _NAGIOS[report.status]
    bad = [one for one in report.results if one.outcome.status is not Status.HEALTHY]
    what = "; ".join(f"{one.check.name} {_said(one)}" for one in bad)
    count = len(report.results)
    fine = "1 check is healthy" if count == 1 else f"{count} checks are healthy"
    lines = [_first_line(word, what or fine)]
    lines += [f"{one.check.name}: {_said(one)}" for one in report.results]
    measured = [_measured(one) for one in report.results]
    return code, "\n".join(lines) + (f" | {' '.join(measured)}" if measured else "")


def nagios_mistake(problems: Iterable[str], source: str = "") -> tuple[int, str]:
    """Returns the same for what kept the checks from running, in lines that are masked already:
    neither good nor bad, but unknown. The first line has the mistake, and no path of its `source`:
    it is all that a message shows."""
    lines = [_without_bars(shorten(escape_controls(line), _LONGEST_LINE)) for line in problems]
    first = lines[0].removeprefix(f"{_without_bars(mask(source))}: ")
    return NAGIOS_UNKNOWN, "\n".join([_first_line("UNKNOWN", first), *lines])


def _first_line(word: str, what: str) -> str:
    line = f"HEALTHKIT {word}: {what}"
    return line if len(line) <= LONGEST_FIRST_LINE else line[: LONGEST_FIRST_LINE - 3] + "..."


def _said(result: Result) -> str:
    message = _plain(result.outcome.message or "")
    status = result.outcome.status.value
    return f"{status}, {message}" if message else status


def _plain(text: str) -> str:
    return _without_bars(one_line(text, _LONGEST_LINE))


def _without_bars(text: str) -> str:
    """Returns text without `|`, behind which numbers are expected."""
    return text.replace("|", "/")


def _measured(result: Result) -> str:
    """Returns `'label'=value;warn;crit;min;max`; `U` for a check that never ended."""
    limit = result.check.timeout.total_seconds()
    value = "U" if result.duration is None else f"{result.duration:.6f}s"
    most = f"{limit:.6f}".rstrip("0").rstrip(".")  # guidelines know no exponents
    return f"'{result.check.name}'={value};;{most};0;{most}"


def junit(report: Report) -> bytes:
    """Returns a test suite with a case for each check: one that is unhealthy has failed, and what a
    degraded one says is its output."""
    failed = [one for one in report.results if _has_failed(one)]
    suite = Xml.Element(
        "testsuite",
        name=_text(report.service.name),
        tests=str(len(report.results)),
        failures=str(len(failed)),
        errors="0",
        skipped="0",
        time=f"{sum(one.duration or 0.0 for one in report.results):.6f}",
        timestamp=report.at.strftime("%Y-%m-%dT%H:%M:%S"),
    )
    for result in report.results:
        case = Xml.SubElement(
            suite,
            "testcase",
            classname=_text(report.service.name),
            name=result.check.name,
            time=f"{result.duration or 0.0:.6f}",
        )
        message = _text(result.outcome.message or result.outcome.status.value)
        if _has_failed(result):
            kind = "timeout" if result.timed_out else result.outcome.status.value
            Xml.SubElement(case, "failure", message=message, type=kind).text = message
        elif result.outcome.message:
            Xml.SubElement(case, "system-out").text = message
    return bytes(Xml.tostring(suite, encoding="utf-8", xml_declaration=True)) + b"\n"


def _has_failed(result: Result) -> bool:
    return result.outcome.status in (Status.UNHEALTHY, Status.UNKNOWN)


def _text(value: str) -> str:
    """Returns masked text for XML 1.0, which has no control characters."""
    return _NOT_XML.sub("\ufffd", escape_controls(mask(value)))
