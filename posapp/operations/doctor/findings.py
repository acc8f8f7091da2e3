"""The findings of the doctor: a pure function of healthkit's report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from healthkit import Report, Result, Status

RUNBOOK = "docs/runbook.md"


@dataclass(frozen=True, slots=True)
class Advice:
    """The advice on one kind of fault: where it belongs, what to do, and the runbook's heading that
    explains it."""

    area: str
    remedy: str
    chapter: str

    @property
    def anchor(self) -> str:
        """The heading as a link names it."""
        kept = "".join(c for c in self.chapter.lower() if c.isalnum() or c in "-_ ")
        return kept.replace(" ", "-")


DATABASE = Advice(
    "database",
    "see that PostgreSQL runs and has connections left, and that DATABASE_URL (or DB_HOST and its"
    " companions) names it",
    "3. Database Connection Errors",
)
DISK = Advice("disk", "remove or move what is not needed, see df -h", "The disk is full")
CERTIFICATE = Advice(
    "certificate", "renew it where TLS ends (Cloudflare)", "4. SSL Certificate Expiry"
)

ADVICE: Mapping[str, Advice] = {
    "database": DATABASE,
    "pos-migrations": Advice("migrations", "run posapp db upgrade", "Updating the Application"),
    "pos-clock": Advice(
        "clock",
        "set the clock (timedatectl set-ntp true) on this machine and on the database's",
        "JWT token expired errors",
    ),
    "pos-books": Advice(
        "books",
        "stop taking money on paper for it and call the developer: posapp audit shows who did what",
        "The books do not add up",
    ),
    "http": Advice(
        "service", "start it (posapp serve, or its container) and see its log", "1. Service Down"
    ),
    "disk": DISK,
    "Disk": DISK,
    "pos-backup": Advice(
        "backups", "run posapp backup daily, then posapp drill", "Backup and Restore"
    ),
    "pos-wal": Advice(
        "backups",
        "start posapp backup receive-wal, then run posapp backup base",
        "To a moment: point in time (optional)",
    ),
    "pos-requests": Advice(
        "requests",
        "start the server (posapp serve); from another machine the watcher needs HEALTH_TOKEN",
        "2. Slow Performance",
    ),
    "backup-freshness": Advice(
        "backups", "run posapp backup daily, then posapp backup list", "Backup and Restore"
    ),
    "alerting": Advice(
        "channels",
        "start posapp healthkit watch; try posapp healthkit alert test",
        "An alert does not arrive",
    ),
    "ssl-expiry": CERTIFICATE,
    "SslExpiry": CERTIFICATE,
    "heartbeat": Advice(
        "heartbeats", "see that the job of that name runs", "An alert does not arrive"
    ),
    "Configuration": Advice(
        "configuration", "set it and start again", "Environment Variables Reference"
    ),
    "Pool": Advice("pool", "then restart what was changed", "Connection Pool Tuning"),
    "Statements": Advice(
        "statements",
        "look at it in pg_stat_activity, and end it: SELECT pg_terminate_backend(pid)",
        "2. Slow Performance",
    ),
    "Channels": Advice(
        "channels",
        "set TELEGRAM_URL, EMAIL_URL or CALL_URL, then posapp healthkit alert test",
        "Alert Configuration",
    ),
    "Bucket": Advice(
        "backups", "run posapp backup daily, then posapp backup list", "Backup and Restore"
    ),
    "Sentry": Advice(
        "sentry", "correct SENTRY_DSN, or let the network through", "Sentry receives nothing"
    ),
    "KumaPage": Advice("kuma", "start Uptime Kuma, or correct KUMA_URL", "Uptime Kuma"),
    "KumaPlan": Advice(
        "kuma", "see it with posapp kuma plan, do it with posapp kuma apply", "Uptime Kuma"
    ),
}
"""By type of check."""

OTHER = Advice("checks", "see posapp healthkit status", "Health Endpoints")
"""For a check that a plugin of the restaurant's own brings."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: what is wrong, what to do, and where the runbook speaks of it."""

    area: str
    check: str
    status: str
    what: str
    remedy: str
    runbook: str

    def line(self) -> str:
        return f"{self.area}: {self.what}. To do: {self.remedy}. See {self.runbook}"

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def findings_of(report: Report, types: Mapping[str, str]) -> list[Finding]:
    """Returns the faults of a report, the worst first; `types` has each check's type by its name.

    What a fault of another check explains is left out: while the database is away, nothing that
    asks it is a finding of its own.
    """
    faulty = {one.check.name: one for one in report.results if _fault(one)}
    own = [one for one in faulty.values() if not faulty.keys() & set(one.check.depends_on)]
    own.sort(key=lambda one: one.outcome.status is not Status.UNHEALTHY)
    return [_finding(one, ADVICE.get(types.get(one.check.name, ""), OTHER)) for one in own]


def _fault(result: Result) -> bool:
    return result.outcome.status is not Status.HEALTHY


def _finding(result: Result, advice: Advice) -> Finding:
    info = result.check
    what = result.outcome.message or f"it is {result.outcome.status.value}"
    if advice.area in ("service", "checks"):  # which one, as there may be several
        what = f"{info.label} ({info.target}): {what}" if info.target else f"{info.label}: {what}"
    return Finding(
        area=advice.area,
        check=info.name,
        status=result.outcome.status.value,
        what=what.rstrip("."),
        remedy=advice.remedy,
        runbook=f"{RUNBOOK}#{advice.anchor}",
    )
