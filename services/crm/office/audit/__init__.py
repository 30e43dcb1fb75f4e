"""What admins read of the trail: the vault's rows about cards, and the office's own acts (C13)."""
