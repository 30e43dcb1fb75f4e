"""Who is enrolled with the vault and who can't ask for cards yet (O11, C20)."""
