"""Rules searched, pruned, and written for a person to edit."""
