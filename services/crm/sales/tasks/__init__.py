"""What an agent wants to remember to do for a client (C3)."""
