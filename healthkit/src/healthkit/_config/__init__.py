"""healthkit.toml, or Python, into validated settings."""
