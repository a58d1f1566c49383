"""The large model trained, from pre-flight to export."""
