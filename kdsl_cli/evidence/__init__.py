"""What can be seen in a dialogue, kept in a keyed store."""
