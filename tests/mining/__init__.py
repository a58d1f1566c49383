"""Tests of mining, and the planted sample they share."""
