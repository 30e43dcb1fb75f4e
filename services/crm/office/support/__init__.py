"""Support tickets: an agent asks, an admin of her agency answers (C12)."""
