"""The web layer in a browser."""
