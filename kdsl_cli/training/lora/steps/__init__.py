"""The steps of a training: objectives, the optimiser, checkpoints, and the loop over them."""
