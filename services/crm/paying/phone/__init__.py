"""Payments by phone (T1 to T9): the client keys the card on the telephone, the agent sees how many digits."""
