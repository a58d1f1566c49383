"""Tests of dialogues: reading, duplicates, splits, export."""
