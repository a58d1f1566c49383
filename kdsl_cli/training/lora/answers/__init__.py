"""A tuned model as it is asked: its record, its calibrated probabilities, its head."""
