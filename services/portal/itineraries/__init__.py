"""A trip shown by a link, without an account, as long as the agent wishes (C5)."""
