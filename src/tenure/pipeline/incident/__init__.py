"""The incident that tenure comes from, lived through for real: one load, five ways to free a key, five outcomes."""
