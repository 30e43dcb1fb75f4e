"""The laws of the card table, and of finding card numbers in texts."""
