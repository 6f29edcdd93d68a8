"""Evidence: signed statements of what was made and how, which anybody can check again."""
