"""The watcher: runs the checks for ever and sends the alerts, one of N at a time."""

from healthkit.watch.watcher import Watcher

__all__ = ["Watcher"]
