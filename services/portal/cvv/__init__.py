"""Giving the CVV of a stored card once more, by a link of its own (M10)."""
