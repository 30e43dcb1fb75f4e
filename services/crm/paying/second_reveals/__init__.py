"""Second reveals (M9): the owner asks with a reason, another admin approves in her own session or refuses."""
