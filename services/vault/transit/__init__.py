"""Encryption as a service, behind one narrow port: HashiCorp Vault's transit engine, or a keyring on this machine."""
