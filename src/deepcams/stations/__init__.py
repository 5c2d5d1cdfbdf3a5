"""Validation against stations: reading, quality control, collocation, scores, and a correction learned from them."""
