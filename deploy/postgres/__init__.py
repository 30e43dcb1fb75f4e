"""Sets PostgreSQL up for Wayvault: one database and role per service, and two roles for the vault's."""
