"""How good a model is, beside human music and a baseline that hears the same: one table for its card."""
