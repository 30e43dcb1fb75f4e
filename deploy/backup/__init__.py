"""Backup and restore (docs/product.md O7): `python -m deploy.backup {key,run,list,restore,drill}`.

Two kinds of things, kept apart on purpose. **Data** (databases, the bus, audit heads) is kept by days and weeks.
**Keys** (the embedded keyring or HashiCorp Vault's raft snapshot, the services' secrets) exist in one backup only, the
newest: were old keyrings kept beside old data, what a trim destroyed would open again.
"""
