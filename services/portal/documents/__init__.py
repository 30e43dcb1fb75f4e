"""Documents that the agent shares with the travelers of a trip (P4)."""
