"""The masker killed while a client keys a card."""
