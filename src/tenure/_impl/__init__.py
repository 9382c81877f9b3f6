"""The one place that chooses between the native and the pure implementation, once for everybody."""
