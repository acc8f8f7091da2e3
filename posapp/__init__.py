"""The point of sale of the restaurant Steak Kenangan."""

from zoneinfo import ZoneInfo

__version__ = "1.0.0"

JAKARTA = ZoneInfo("Asia/Jakarta")
"""The restaurant's wall clock: of business dates, names of backups and schedules."""
