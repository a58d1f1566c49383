"""Rules a person can read, a model tuned on the rest, and decisions that say why."""

__version__ = "0.1.0"
