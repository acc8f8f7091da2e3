"""Thin mounts, the only place of the library that knows a web framework."""
