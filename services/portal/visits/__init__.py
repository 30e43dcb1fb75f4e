"""A visit (C18): everything that one client is asked for at once, opened by one link and given in one go."""
