"""A sealed real-time analytics pipeline, the first customer of the runtime."""
