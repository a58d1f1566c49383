"""Rules and the large model decide together, and say why."""
