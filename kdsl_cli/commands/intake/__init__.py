"""Verbs below ``kdsl data``: what comes in, and what of it goes to other programs."""
