"""Support tickets: an agent asks, an admin of their agency answers (C12)."""
