"""Values that every other room speaks of: frozen, no I/O."""
