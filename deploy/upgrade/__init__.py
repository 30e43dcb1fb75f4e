"""Before and during an upgrade (docs/product.md O12): `python -m deploy.upgrade [--check]`.

Old and new processes run side by side on one database and bus, so a release's revisions only expand. What a revision
does is not believed but seen: it runs on an empty database, and the tables before and after are compared.
"""
