"""Turns a report into what is handed out: the whole in advance, a part of it when it is asked for.

A part is one check, or the checks of one group (the `group` of `[checks.NAME]`); each is a report
of its own, by its own rule: a check that fails fails its part, whatever it does to the whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from healthkit import _rendering
from healthkit._config.groups import group_path
from healthkit._config.service_tables import Fails, GroupSettings
from healthkit._config.settings import ConfiguredCheck
from healthkit._model.checks import Outcome, Report, Result, Role, Status
from healthkit._rendering import RenderedResponse, Renderer

PartName = tuple[str, str]
"""("check", its name) or ("group", its name in paths)."""
CHECK, GROUP = "check", "group"


@dataclass(frozen=True, slots=True)
class Part:
    """Some checks by name, and what makes them fail together."""

    checks: frozenset[str]
    fails: Fails


def parts_of(
    checks: Sequence[ConfiguredCheck], groups: Mapping[str, GroupSettings]
) -> dict[PartName, Part]:
    """Returns the parts that can be asked for."""
    found = {(CHECK, one.info.name): Part(frozenset({one.info.name}), "any") for one in checks}
    for name in {path for one in checks if (path := group_path(one.group))}:
        members = {one.info.name for one in checks if group_path(one.group) == name}
        rule = groups.get(name, GroupSettings()).fails
        found[GROUP, name] = Part(frozenset(members), rule)
    return found


def report_of(part: Part, report: Report) -> Report:
    """Returns the report of a part, its checks in such roles that its status follows its rule."""
    results = tuple(one for one in report.results if one.check.name in part.checks)
    if part.fails != "required":
        bad = (Status.UNHEALTHY, Status.UNKNOWN)
        whole = part.fails == "any" or all(one.outcome.status in bad for one in results)
        role = Role.REQUIRED if whole else Role.ADVISORY
        results = tuple(replace(one, check=replace(one.check, role=role)) for one in results)
    return replace(report, results=results)


class Views:
    """The responses of one report, for who may see details and for strangers."""

    def __init__(
        self,
        report: Report,
        renderers: Mapping[str, Renderer],
        public_details: Mapping[str, Collection[str]],
        parts: Mapping[PartName, Part],
    ) -> None:
        strangers = _rendering.without_details(report, public_details)
        self._reports = {True: report, False: strangers}
        self._renderers = renderers
        self._parts = parts
        self._whole = {
            (name, details): _guarded(renderer, seen)
            for name, renderer in renderers.items()
            for details, seen in self._reports.items()
        }
        self._of_parts: dict[tuple[str, bool, PartName], RenderedResponse] = {}

    @property
    def report(self) -> Report:
        """The report that is shown, to who may see details."""
        return self._reports[True]

    def response(
        self, renderer: str, *, details: bool, part: PartName | None = None
    ) -> RenderedResponse:
        """Raises KeyError for a renderer or a part that there is not."""
        if part is None:
            return self._whole[renderer, details]
        key = (renderer, details, part)
        found = self._of_parts.get(key)
        if found is None:
            report = report_of(self._parts[part], self._reports[details])
            found = self._of_parts[key] = _guarded(self._renderers[renderer], report)
        return found


def _guarded(renderer: Renderer, report: Report) -> RenderedResponse:
    """Renders a report. A result that a renderer cannot take is shown as unhealthy, and the others
    as they are; a renderer that raises in any case makes its own response a 503, and no other."""
    try:
        return renderer(report)
    except BaseException:  # noqa: BLE001  a renderer may be anybody's
        results = tuple(_renderable(renderer, report, result) for result in report.results)
    try:
        return renderer(replace(report, results=results))
    except BaseException as error:  # noqa: BLE001
        body = {
            "status": "unhealthy",
            "error": f"the response could not be rendered: {type(error).__name__}",
        }
        return _rendering.response(503, _rendering.JSON, _rendering.dump(body))


def _renderable(renderer: Renderer, report: Report, result: Result) -> Result:
    try:
        renderer(replace(report, results=(result,)))
    except BaseException as error:  # noqa: BLE001
        what = f"the result could not be rendered: {type(error).__name__}"
        return replace(result, outcome=Outcome.unhealthy(what))
    return result
