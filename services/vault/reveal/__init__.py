"""Reveal: one-time codes, and showing a card or a CVV to one recipient key, once."""
