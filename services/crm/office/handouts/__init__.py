"""What an admin hands to all agents: where the agency's community is, and a Quick Sheet (C20)."""
