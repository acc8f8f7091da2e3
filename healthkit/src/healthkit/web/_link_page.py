"""The page behind a link in a message: it asks first, as what fetches links is not always a person.

GET changes nothing and asks no store. It needs no script and nothing from elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping
from http import HTTPStatus

from healthkit import _rendering
from healthkit._rendering import RenderedResponse
from healthkit._status.words import Language

WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "ask": "{label}: incident {incident}",
        "explain": "The link works once, until {until}.",
        "acknowledge": "I take it on: no more reminders",
        "silence": "Silence new faults for {time}",
        "acknowledged": "Acknowledged. No more reminders come of incident {incident}.",
        "silenced": "Silenced: new faults of {label} tell nobody for {time}.",
        "used": "This link has been used. The next reminder has another; or: healthkit ack"
        " {incident}",
        "ended": "Incident {incident} has ended already.",
        "unknown": "There is no such incident any more.",
        "expired": "This link has expired. The next reminder has another; or: healthkit ack"
        " {incident}",
        "invalid": "This link is not valid. Was it copied whole?",
        "choose": "Choose one of the two.",
        "not-stored": "It could not be stored, so nothing has changed: try again, or:"
        " healthkit ack {incident}",
    },
    "id": {
        "ask": "{label}: insiden {incident}",
        "explain": "Tautan ini berlaku sekali, sampai {until}.",
        "acknowledge": "Saya tangani: tanpa pengingat lagi",
        "silence": "Senyapkan gangguan baru selama {time}",
        "acknowledged": "Dicatat. Tidak ada pengingat lagi untuk insiden {incident}.",
        "silenced": "Disenyapkan: gangguan baru {label} tidak dikabarkan selama {time}.",
        "used": "Tautan ini sudah dipakai. Pengingat berikutnya membawa yang baru; atau:"
        " healthkit ack {incident}",
        "ended": "Insiden {incident} sudah berakhir.",
        "unknown": "Insiden itu sudah tidak ada.",
        "expired": "Tautan ini sudah kedaluwarsa. Pengingat berikutnya membawa yang baru; atau:"
        " healthkit ack {incident}",
        "invalid": "Tautan ini tidak sah. Apakah disalin seluruhnya?",
        "choose": "Pilih salah satu dari keduanya.",
        "not-stored": "Tidak dapat disimpan, jadi tidak ada yang berubah: coba lagi, atau:"
        " healthkit ack {incident}",
    },
}
CODES: Mapping[str, int] = {
    "ask": 200,
    "acknowledged": 200,
    "silenced": 200,
    "used": 409,
    "ended": 410,
    "unknown": 410,
    "expired": 410,
    "invalid": 404,
    "choose": 422,
    "not-stored": 503,
}
_STYLE = (
    ":root{color-scheme:light dark;--paper:#fbfaf8;--card:#fff;--ink:#1f1c1a;--quiet:#5d5852;"
    "--line:#dedad4;--act:#1f5fa8;--on:#fff}"
    "@media(prefers-color-scheme:dark){:root{--paper:#171514;--card:#211e1c;--ink:#f2efeb;"
    "--quiet:#b3aca4;--line:#3b3632;--act:#8ab8ee;--on:#10202f}}"
    "body{font:18px/1.5 system-ui,sans-serif;max-width:32rem;margin:0 auto;padding:2rem 1rem;"
    "color:var(--ink);background:var(--paper)}"
    "main{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1.25rem}"
    "p{color:var(--quiet);margin:0 0 .5rem}h1{font-size:1.4rem;line-height:1.3;margin:0 0 .75rem;"
    "overflow-wrap:anywhere}button{font:inherit;display:block;width:100%;min-height:56px;"
    "margin:1rem 0 0;padding:.5rem 1rem;border-radius:8px;border:2px solid var(--act);"
    "color:var(--act);background:transparent;cursor:pointer}"
    "button:first-child{background:var(--act);color:var(--on);font-weight:600}"
    "button:focus-visible{outline:3px solid var(--ink);outline-offset:2px}"
)
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = (
    (
        "Content-Security-Policy",
        f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'",
    ),
    ("Referrer-Policy", "no-referrer"),
    ("X-Robots-Tag", "noindex, nofollow"),
    ("X-Content-Type-Options", "nosniff"),
)
HTML = "text/html; charset=utf-8"


def page(
    said: str, service: str, language: Language, values: Mapping[str, object]
) -> RenderedResponse:
    """Returns the page that says `said`, one of `CODES`; "ask" and "choose" with both buttons."""
    words = WORDS[language]
    text = words[said].format(**values)
    parts = [f"<h1>{html.escape(text)}</h1>"]
    if said in ("ask", "choose"):
        parts += [
            f"<p>{html.escape(words['explain'].format(**values))}</p>",
            '<form method="post">',
            *(
                f'<button name="act" value="{act}">{html.escape(words[act].format(**values))}'
                "</button>"
                for act in ("acknowledge", "silence")
            ),
            "</form>",
        ]
    body = "\n".join(
        [
            "<!doctype html>",
            f'<html lang="{language}"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{html.escape(service)}</title><style>{_STYLE}</style></head>",
            f"<body><main><p>{html.escape(service)}</p>",
            *parts,
            "</main></body></html>\n",
        ]
    ).encode("utf-8", "replace")
    code = CODES[said]
    made = _rendering.response(code, HTML, body)
    return RenderedResponse(f"{code} {HTTPStatus(code).phrase}", (*made.headers, *_HEADERS), body)
