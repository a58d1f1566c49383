"""Tests of models behind a server."""
