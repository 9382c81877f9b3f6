"""Native memory that is owned: plain buffers, and secret buffers that are locked and wiped."""
