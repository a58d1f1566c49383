"""What decisions are worth, and why each was made."""
