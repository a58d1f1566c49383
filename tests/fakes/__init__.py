"""Servers that tests talk to: one that plays a model, one that plays a bad line."""
