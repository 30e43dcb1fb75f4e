"""How each agency's mails look: its name and its logo (C13)."""
