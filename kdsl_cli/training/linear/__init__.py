"""The large model's light stand-in: a calibrated linear model over the evidence, on any machine."""
