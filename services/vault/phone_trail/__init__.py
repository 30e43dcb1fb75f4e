"""What the masker did, in the vault's audit trail: it has no database of its own."""
