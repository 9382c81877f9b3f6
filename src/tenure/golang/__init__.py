"""Go's collector, finalizers, cleanups and weak pointers as a model for the explorer."""
