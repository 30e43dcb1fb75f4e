"""What agents and admins did in the office that an admin may want to look up later."""
