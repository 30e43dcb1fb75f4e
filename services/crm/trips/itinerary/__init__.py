"""A booking as its travelers read it: page, PDF, calendar file (C5)."""
