"""The operator's face of the vault."""
