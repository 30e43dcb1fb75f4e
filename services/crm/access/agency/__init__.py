"""The agency, its agents, its policies."""
