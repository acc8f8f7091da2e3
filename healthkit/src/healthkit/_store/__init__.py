"""The state that outlives the process, on SQLite or PostgreSQL."""
