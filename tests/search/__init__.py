"""Tests of the search, and the toy problems they share."""
