"""The words of the page, in the languages that it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

Language = Literal["en", "id"]

WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "title": "Status of {service}",
        "headline.operational": "All systems work",
        "headline.degraded": "Some systems are slow or limited",
        "headline.partial-outage": "Some systems are down",
        "headline.major-outage": "Major outage",
        "headline.maintenance": "Under planned maintenance",
        "headline.unknown": "The state is not known right now",
        "state.operational": "Works",
        "state.degraded": "Limited",
        "state.down": "Down",
        "state.maintenance": "Maintenance",
        "state.unknown": "Not known",
        "unwatched": "Nobody has looked lately; what is shown is the last that is known.",
        "as-of": "As of {time}",
        "components": "Components",
        "since": "since {time}",
        "history": "The last 90 days of {component}",
        "older": "90 days ago",
        "today": "today",
        "no-data": "no data",
        "lost": "{share} lost",
        "none-lost": "nothing lost",
        "outages": "Outages in the last 90 days",
        "no-outages": "No outage in the last 90 days.",
        "still": "until now",
        "span.24h": "24 hours",
        "span.7d": "7 days",
        "span.30d": "30 days",
        "span.90d": "90 days",
        "span.365d": "a year",
        "uptime": "Uptime",
        "response-times": "Response times of the last 24 hours: half within {p50}, 95 % within"
        " {p95}",
        "objectives": "What we promise",
        "target.30d": "{target} of 30 days",
        "target.month": "{target} of the month",
        "budget.ok": "Kept",
        "budget.burning": "At risk",
        "budget.burning-fast": "At risk now",
        "budget.spent": "Not kept",
        "budget.no-data": "Not measured",
        "budget.not-enough-data": "Not known yet",
        "incidents": "Incidents",
        "no-incidents": "No incident in the last 14 days.",
        "incident.lasts": "It lasts since {time}",
        "incident.over": "From {began} to {ended} ({length})",
        "planned": "Planned maintenance",
        "planned.window": "{began} to {ended}: {components}",
        "everything": "everything",
        "rules": "How it is counted: a share of all results, rounded down; what was"
        " limited counts as up,"
        " planned maintenance counts neither way, and days without data are left out.",
        "feed": "Feed",
        "language": "Bahasa Indonesia",
    },
    "id": {
        "title": "Status {service}",
        "headline.operational": "Semua sistem berjalan",
        "headline.degraded": "Sebagian sistem lambat atau terbatas",
        "headline.partial-outage": "Sebagian sistem mati",
        "headline.major-outage": "Gangguan besar",
        "headline.maintenance": "Dalam pemeliharaan terencana",
        "headline.unknown": "Keadaan saat ini belum diketahui",
        "state.operational": "Berjalan",
        "state.degraded": "Terbatas",
        "state.down": "Mati",
        "state.maintenance": "Pemeliharaan",
        "state.unknown": "Belum diketahui",
        "unwatched": "Belakangan ini tidak ada yang memeriksa; yang tampil adalah yang"
        " terakhir diketahui.",
        "as-of": "Per {time}",
        "components": "Komponen",
        "since": "sejak {time}",
        "history": "90 hari terakhir {component}",
        "older": "90 hari lalu",
        "today": "hari ini",
        "no-data": "tidak ada data",
        "lost": "{share} hilang",
        "none-lost": "tidak ada yang hilang",
        "outages": "Gangguan dalam 90 hari terakhir",
        "no-outages": "Tidak ada gangguan dalam 90 hari terakhir.",
        "still": "sampai sekarang",
        "span.24h": "24 jam",
        "span.7d": "7 hari",
        "span.30d": "30 hari",
        "span.90d": "90 hari",
        "span.365d": "setahun",
        "uptime": "Waktu aktif",
        "response-times": "Waktu tanggap 24 jam terakhir: separuh dalam {p50}, 95 % dalam {p95}",
        "objectives": "Yang kami janjikan",
        "target.30d": "{target} dari 30 hari",
        "target.month": "{target} dari bulan ini",
        "budget.ok": "Terpenuhi",
        "budget.burning": "Terancam",
        "budget.burning-fast": "Sangat terancam",
        "budget.spent": "Tidak terpenuhi",
        "budget.no-data": "Tidak terukur",
        "budget.not-enough-data": "Belum diketahui",
        "incidents": "Insiden",
        "no-incidents": "Tidak ada insiden dalam 14 hari terakhir.",
        "incident.lasts": "Berlangsung sejak {time}",
        "incident.over": "Dari {began} sampai {ended} ({length})",
        "planned": "Pemeliharaan terencana",
        "planned.window": "{began} sampai {ended}: {components}",
        "everything": "semuanya",
        "rules": "Cara menghitung: bagian dari semua hasil, dibulatkan ke bawah; yang"
        " terbatas dihitung aktif,"
        " pemeliharaan terencana tidak dihitung, dan hari tanpa data tidak disertakan.",
        "feed": "Umpan",
        "language": "English",
    },
}

_UNITS: Mapping[Language, tuple[tuple[str, str], ...]] = {
    "en": (("hour", "hours"), ("minute", "minutes"), ("second", "seconds")),
    "id": (("jam", "jam"), ("menit", "menit"), ("detik", "detik")),
}


def length(value: timedelta, language: Language) -> str:
    """Returns `1 hour 30 minutes`: hours, minutes and seconds, as far as there are any."""
    minutes, seconds = divmod(max(0, int(value.total_seconds())), 60)
    numbers = (*divmod(minutes, 60), seconds)
    parts = [
        f"{number} {one if number == 1 else more}"
        for number, (one, more) in zip(numbers, _UNITS[language], strict=True)
        if number
    ]
    return " ".join(parts) or f"0 {_UNITS[language][-1][1]}"
