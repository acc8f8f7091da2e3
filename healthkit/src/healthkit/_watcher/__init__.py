"""The alerter: one process, or several with a lease."""
