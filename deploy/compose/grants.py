"""Gives the vault's application role its rights after a migration: python -m deploy.compose.grants."""

import os
import sys

import psycopg

from deploy.postgres.bootstrap import grant_vault


def main() -> int:
    try:
        grant_vault(os.environ["VAULT_OWNER_DATABASE_URL"])
    except (KeyError, psycopg.Error) as error:
        print(f"The vault's role could not be given its rights: {str(error).strip()}", file=sys.stderr)
        return 1
    print("The vault's application role has its rights.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
