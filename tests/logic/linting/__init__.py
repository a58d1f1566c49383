"""Tests of what is amiss in rules."""
