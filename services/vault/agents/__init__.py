"""The vault's own register of agents: where a one-time code may be mailed."""
