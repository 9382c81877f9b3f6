"""Rewrites that close what a finding says is not closed, offered only where the result is certain."""
