"""A real agency's first day on one machine: asks, checks, starts everything in containers, makes agency and admin."""
