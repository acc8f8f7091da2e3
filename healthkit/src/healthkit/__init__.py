"""Health checks answered from memory, and alerts that people can trust."""
