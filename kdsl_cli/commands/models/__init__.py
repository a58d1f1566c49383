"""Models that are asked: opened with a memory, counted, compared."""
