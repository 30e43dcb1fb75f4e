"""Japan's most frequent family names found by their readings

Revision: 0039_japanese_names, after 0038_order_of_clients

Adds to clients and bookings the words by which chassis.typed.names finds "佐藤" as Sato. Only rows beyond ASCII are read
again. An older program beside this one finds and writes as it did.
"""

from importlib import import_module

revision = "0039_japanese_names"
down_revision = "0038_order_of_clients"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # It adds whatever words a name has today and the row lacks.
    import_module("services.crm.migrations.versions.0025_latin_spellings").upgrade()


def downgrade() -> None:
    """The added words harm no older program."""
