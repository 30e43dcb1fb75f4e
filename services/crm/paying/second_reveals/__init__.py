"""Second reveals (M9): the owner asks with a reason, another admin approves in their own session or refuses."""
