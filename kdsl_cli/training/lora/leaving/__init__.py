"""A tuned model for other programs: merged, or as an adapter that servers load."""
