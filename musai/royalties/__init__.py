"""Royalty statements: what a period's revenue owes to the owners of a model's training works."""
