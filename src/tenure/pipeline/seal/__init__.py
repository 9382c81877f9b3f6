"""Keys, and what is sealed under them: this room knows keys and records, and no socket."""
