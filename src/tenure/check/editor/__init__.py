"""The checker inside an editor: a language server that shows findings as one types."""
