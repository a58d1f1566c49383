"""Large models: what they learn from, how they are stored."""
