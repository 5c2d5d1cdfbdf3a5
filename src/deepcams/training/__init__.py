"""Training: data to learn from, losses, the loop, checkpoints; and the making of training sets."""
