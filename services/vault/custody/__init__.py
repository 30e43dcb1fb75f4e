"""Custody: what cards exist, how long they are kept, who touched them, and their destruction."""
