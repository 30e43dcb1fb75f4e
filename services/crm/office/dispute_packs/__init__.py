"""One file for the bank when a client disputes a card payment (C19)."""
