"""Multimodal models behind one protocol: local ones, servers, and scripts for tests."""
