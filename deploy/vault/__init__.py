"""Sets HashiCorp Vault up for Wayvault: transit keys, policies, AppRole identities, audit device."""
