"""Dialogues as samples to tune on: asked, answered, measured, changed a little, put in order and batched."""
