"""Invitations of agents: a link by e-mail on which a password is chosen (C1, C13)."""
