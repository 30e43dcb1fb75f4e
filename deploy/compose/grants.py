"""Gives the vault's application role its rights after a migration: python -m deploy.compose.grants

`deploy.compose` runs it in the operator's container. Safe to run again.

Exit status: 0 done; 1 not done; 2 wrong arguments.
"""

import argparse
import os
import sys
from collections.abc import Sequence

import psycopg

from deploy.postgres.bootstrap import grant_vault


def main(arguments: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(
        prog="python -m deploy.compose.grants",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args(arguments)
    try:
        grant_vault(os.environ["VAULT_OWNER_DATABASE_URL"])
    except (KeyError, psycopg.Error) as error:
        print(f"The vault's role could not be given its rights: {str(error).strip()}", file=sys.stderr)
        return 1
    print("The vault's application role has its rights.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
