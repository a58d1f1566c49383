"""The stages one after the other."""
