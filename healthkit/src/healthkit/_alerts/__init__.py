"""Alerts: from the result of a check to a message that has arrived."""
