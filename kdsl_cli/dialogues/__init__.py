"""Dialogues and intents: schema, readers, splits, catalogue."""
