"""Readers: every supported file becomes the same dialogues, and every bad row a named problem."""
