"""Says how a budget does, so that staff understand it: minutes, and when they are gone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from healthkit._model.budgets import Budget, BudgetState

Words = Mapping[str, str]
Language = Literal["en", "id"]
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

_WORDS: Mapping[str, Words] = {
    "en": {
        "month": "the month's {total}",
        "30d": "the {total} of 30 days",
        "left": "Of {budget}, {left} are left.",
        "pace": "At this pace {budget} are gone in {time}.",
        "spent": "{budget} are used up.",
        "over": "{budget} are used up, and {over} more.",
        "not-enough-data": "Not enough data yet.",
        "no-data": "Not measured right now: no result has come lately.",
        "title.burning-fast": "too much is being lost",
        "title.burning": "it does not last at this pace",
        "title.spent": "the budget is used up",
        "title.no-data": "it is not being measured",
        "title.ok": "the budget lasts again",
        "title.not-enough-data": "not enough data yet",
        "day": "{n} day",
        "days": "{n} days",
        "hour": "{n} hour",
        "hours": "{n} hours",
        "minute": "{n} minute",
        "minutes": "{n} minutes",
        "second": "{n} second",
        "seconds": "{n} seconds",
    },
    "id": {
        "month": "jatah {total} bulan ini",
        "30d": "jatah {total} untuk 30 hari",
        "left": "Dari {budget}, tersisa {left}.",
        "pace": "Dengan laju ini {budget} habis dalam {time}.",
        "spent": "{budget} sudah habis.",
        "over": "{budget} sudah habis, dan lebih {over}.",
        "not-enough-data": "Data belum cukup.",
        "no-data": "Sedang tidak terukur: belakangan ini tidak ada hasil yang masuk.",
        "title.burning-fast": "terlalu banyak yang hilang",
        "title.burning": "tidak akan cukup dengan laju ini",
        "title.spent": "jatahnya sudah habis",
        "title.no-data": "sedang tidak terukur",
        "title.ok": "jatahnya cukup kembali",
        "title.not-enough-data": "data belum cukup",
        "day": "{n} hari",
        "days": "{n} hari",
        "hour": "{n} jam",
        "hours": "{n} jam",
        "minute": "{n} menit",
        "minutes": "{n} menit",
        "second": "{n} detik",
        "seconds": "{n} detik",
    },
}


def sentences(budget: Budget, language: Language) -> tuple[str, ...]:
    """Returns what there is to say of a budget, the gravest first."""
    words = _WORDS[language]
    if budget.state is BudgetState.NOT_ENOUGH_DATA:
        return (words["not-enough-data"],)
    said = words[budget.window].format(total=amount(budget.total, language))
    found = []
    if budget.gone_in is not None:
        found.append(words["pace"].format(budget=said, time=_until(budget.gone_in, words)))
    if budget.left <= -timedelta(seconds=1):
        over = amount(-budget.left, language)
        found.append(words["over"].format(budget=said, over=over))
    elif budget.state is BudgetState.SPENT:
        found.append(words["spent"].format(budget=said))
    else:
        found.append(words["left"].format(budget=said, left=amount(budget.left, language)))
    if budget.state is BudgetState.NO_DATA:
        found.append(words["no-data"])
    return tuple(one[0].upper() + one[1:] for one in found)


def title(state: BudgetState, language: Language) -> str:
    """Returns the state in a few words, to stand behind a label."""
    return _WORDS[language][f"title.{state.value}"]


def format_target(budget: Budget) -> str:
    """`99.9%`."""
    return f"{float(budget.target * 100):.10g}%"


def amount(time: timedelta, language: Language) -> str:
    """`43 minutes`: whole minutes, floored; seconds where it is less than two minutes."""
    words = _WORDS[language]
    return _count(time, "minute", _MINUTE, words) if time >= 2 * _MINUTE else _seconds(time, words)


def _until(time: timedelta, words: Words) -> str:
    """`2 days`: floored, in the largest unit of which there are two."""
    for name, unit in (("day", _DAY), ("hour", _HOUR), ("minute", _MINUTE)):
        if time >= 2 * unit:
            return _count(time, name, unit, words)
    return _seconds(time, words)


def _seconds(time: timedelta, words: Words) -> str:
    return _count(time, "second", timedelta(seconds=1), words)


def _count(time: timedelta, name: str, unit: timedelta, words: Words) -> str:
    number = max(timedelta(0), time) // unit
    return words[name if number == 1 else f"{name}s"].format(n=number)
