"""The static checker: what is not closed on every path, finalizer mistakes and dangling pointers."""
