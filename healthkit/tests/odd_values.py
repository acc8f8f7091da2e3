"""Values that a plugin may give where another is expected."""

import enum
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction


class Unspeakable:
    """Raises whatever is asked of it."""

    def __init__(self, error=RuntimeError):
        self.error = error

    def refuse(self, *_):
        raise self.error("no")

    __str__ = __len__ = __iter__ = __bool__ = refuse


class Endless(Mapping):
    def __getitem__(self, key):
        return self

    def __iter__(self):
        number = 0
        while True:
            yield (number := number + 1)

    def __len__(self):
        return 1


class Sly(str):
    __slots__ = ()

    def __str__(self):
        raise RuntimeError("no")

    __len__ = __iter__ = __str__


class Zone(tzinfo):
    def utcoffset(self, _):
        raise RuntimeError("no")


class Number(enum.IntEnum):
    ONE = 1


def _circle():
    circle = {}
    circle["again"] = [circle]
    return circle


def _deep():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    return deep


ODD = [
    *(None, True, 0, 2**63, -(2**200), 10**5000, float("nan"), float("inf"), Number.ONE),
    *(
        "",
        "two\nlines",
        "nul \0",
        "\ud800",
        "\x1b[2J",
        "x" * 1_000_000,
        b"\xff\x00",
        bytearray(b"a"),
    ),
    *(Decimal("NaN"), Fraction(10**5000), Sly("sly"), Unspeakable(), Unspeakable(SystemExit)),
    *(ValueError("wrong"), ValueError(Unspeakable()), object, object(), lambda: None, iter([1])),
    *(
        {1: {2: {3: [4]}}},
        {None: None},
        _circle(),
        _deep(),
        Endless(),
    ),
    *(datetime.max, datetime.min, datetime(2026, 1, 1, tzinfo=UTC)),  # noqa: DTZ901
    timedelta.max,
    datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
    datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
]
