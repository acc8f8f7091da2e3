"""The built-in messages, in Jinja2. The first line is the title.

Down, up and certificate are the runbook's ("Alert Message Templates"), word for word.
"""

from __future__ import annotations

from collections.abc import Mapping

_TAIL_EN = """
{%- if inhibits %}
Quiet while it lasts: {{ inhibits }}{% endif %}
{%- if runbook %}
Runbook: {{ runbook }}{% endif %}"""

_TAIL_ID = """
{%- if inhibits %}
Tidak dikabarkan selama ini: {{ inhibits }}{% endif %}
{%- if runbook %}
Panduan: {{ runbook }}{% endif %}"""

ENGLISH: Mapping[str, str] = {
    "down": """\
🔴 {{ name }} is DOWN
URL: {{ url }}
Error: {{ error }}
Time: {{ time }}
Duration: {{ duration }}
Action: Check logs immediately"""
    + _TAIL_EN,
    "up": """\
✅ {{ name }} is back UP
URL: {{ url }}
Downtime: {{ duration }}
Recovered: {{ recovered }}"""
    + "{% if warning %}\nStill degraded: {{ warning }}{% endif %}",
    "certificate": """\
⚠️ SSL Certificate Expiring Soon
Domain: {{ url }}
Days Left: {{ days }}
Renewal Required By: {{ expiry_date }}"""
    + _TAIL_EN,
    "budget": """\
{{ "🔴" if state == "UNHEALTHY" else "⚠️" }} {{ name }}: {{ budget_title }}
{% for line in budget %}{{ line }}
{% endfor %}Target: {{ target }}
Time: {{ time }}
{%- if kind == "reminder" %}
Reminder {{ count }}. To stop these reminders: healthkit ack {{ incident }}
{%- elif kind == "escalation" %}
Nobody has acknowledged it: healthkit ack {{ incident }}{% endif %}"""
    + _TAIL_EN,
    "budget_safe": """\
{{ "✅" if state == "HEALTHY" else "⚠️" }} {{ name }}: {{ budget_title }}
{% for line in budget %}{{ line }}
{% endfor %}Target: {{ target }}
Recovered: {{ recovered }}""",
    "degraded": """\
⚠️ {{ name }} is DEGRADED
URL: {{ url }}
Warning: {{ error }}
Time: {{ time }}
Duration: {{ duration }}"""
    + _TAIL_EN,
    "restored": """\
✅ {{ name }} is healthy again
URL: {{ url }}
Degraded for: {{ duration }}
Recovered: {{ recovered }}""",
    "reminder": """\
🔴 {{ name }} is still DOWN (reminder {{ count }})
URL: {{ url }}
Error: {{ error }}
Time: {{ time }}
Duration: {{ duration }}
Action: Check logs immediately
To stop these reminders: healthkit ack {{ incident }}"""
    + _TAIL_EN,
    "escalation": """\
🚨 {{ name }} is DOWN and nobody has acknowledged it
URL: {{ url }}
Error: {{ error }}
Time: {{ time }}
Duration: {{ duration }}
Action: Check logs immediately, then: healthkit ack {{ incident }}"""
    + _TAIL_EN,
    "flapping": """\
🟠 {{ name }} is FLAPPING
URL: {{ url }}
It changed {{ count }} times recently. No further messages until it is steady.
Now: {{ state }}
Time: {{ time }}"""
    + _TAIL_EN,
    "steady": """\
🟢 {{ name }} is steady again
URL: {{ url }}
Now: {{ state }}
Time: {{ time }}""",
    "digest": """\
📋 {{ service }}: {{ total }} {{ "alert" if total == 1 else "alerts" }}
{% if storm %}So many came at once that they share one message.
{% endif %}\
{% for line in lines %}{{ line }}
{% endfor %}{% if more %}… and {{ more }} more, see: healthkit incidents{% endif %}""",
    "test": """\
🔔 Test message from {{ service }}
If you can read this, alerts reach you here.
Time: {{ time }}""",
}

INDONESIAN: Mapping[str, str] = {
    "down": """\
🔴 {{ name }} MATI
URL: {{ url }}
Kesalahan: {{ error }}
Waktu: {{ time }}
Durasi: {{ duration }}
Tindakan: Segera periksa log"""
    + _TAIL_ID,
    "up": """\
✅ {{ name }} PULIH kembali
URL: {{ url }}
Lama gangguan: {{ duration }}
Pulih: {{ recovered }}"""
    + "{% if warning %}\nMasih terganggu: {{ warning }}{% endif %}",
    "certificate": """\
⚠️ Sertifikat SSL Segera Kedaluwarsa
Domain: {{ url }}
Sisa Hari: {{ days }}
Perpanjang Sebelum: {{ expiry_date }}"""
    + _TAIL_ID,
    "budget": """\
{{ "🔴" if state == "UNHEALTHY" else "⚠️" }} {{ name }}: {{ budget_title }}
{% for line in budget %}{{ line }}
{% endfor %}Target: {{ target }}
Waktu: {{ time }}
{%- if kind == "reminder" %}
Pengingat {{ count }}. Untuk menghentikan pengingat: healthkit ack {{ incident }}
{%- elif kind == "escalation" %}
Belum ada yang menangani: healthkit ack {{ incident }}{% endif %}"""
    + _TAIL_ID,
    "budget_safe": """\
{{ "✅" if state == "HEALTHY" else "⚠️" }} {{ name }}: {{ budget_title }}
{% for line in budget %}{{ line }}
{% endfor %}Target: {{ target }}
Pulih: {{ recovered }}""",
    "degraded": """\
⚠️ {{ name }} TERGANGGU
URL: {{ url }}
Peringatan: {{ error }}
Waktu: {{ time }}
Durasi: {{ duration }}"""
    + _TAIL_ID,
    "restored": """\
✅ {{ name }} normal kembali
URL: {{ url }}
Lama gangguan: {{ duration }}
Pulih: {{ recovered }}""",
    "reminder": """\
🔴 {{ name }} masih MATI (pengingat {{ count }})
URL: {{ url }}
Kesalahan: {{ error }}
Waktu: {{ time }}
Durasi: {{ duration }}
Tindakan: Segera periksa log
Untuk menghentikan pengingat: healthkit ack {{ incident }}"""
    + _TAIL_ID,
    "escalation": """\
🚨 {{ name }} MATI dan belum ada yang menangani
URL: {{ url }}
Kesalahan: {{ error }}
Waktu: {{ time }}
Durasi: {{ duration }}
Tindakan: Segera periksa log, lalu: healthkit ack {{ incident }}"""
    + _TAIL_ID,
    "flapping": """\
🟠 {{ name }} TIDAK STABIL
URL: {{ url }}
Berubah {{ count }} kali dalam hasil terakhir; perubahan satu per satu tidak dikabarkan.
Sekarang: {{ state }}
Waktu: {{ time }}"""
    + _TAIL_ID,
    "steady": """\
🟢 {{ name }} stabil kembali
URL: {{ url }}
Sekarang: {{ state }}
Waktu: {{ time }}""",
    "digest": """\
📋 {{ service }}: {{ total }} peringatan
{% if storm %}Terlalu banyak sekaligus, maka dikabarkan dalam satu pesan.
{% endif %}\
{% for line in lines %}{{ line }}
{% endfor %}{% if more %}… dan {{ more }} lagi, lihat: healthkit incidents{% endif %}""",
    "test": """\
🔔 Pesan uji dari {{ service }}
Jika Anda membaca ini, peringatan sampai ke sini.
Waktu: {{ time }}""",
}

LINK_WORDS: Mapping[str, str] = {"en": "Take it on, or silence it", "id": "Tangani atau senyapkan"}
"""Before the link of a message."""

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": ENGLISH, "id": INDONESIAN}
