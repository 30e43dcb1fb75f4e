"""Point in time for PostgreSQL (docs/product.md O7): `python -m deploy.pitr {follow,base,list,restore}`.

Beside the backups of deploy.backup, sealed for the same recipients: copies of the whole server, and every change since.
`follow` runs all the time and receives the changes as a standby does, over TLS, so that nothing of ours has to live on
the database's machine. What can be lost is what the last seconds before a disaster brought.
"""
