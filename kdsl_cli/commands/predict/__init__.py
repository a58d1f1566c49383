"""Rules and the large model decide together."""
