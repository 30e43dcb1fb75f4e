"""Japanese names found however their long vowels are spelled

Revision: 0040_long_vowels, after 0039_japanese_names

Adds to clients and bookings the words by which chassis.typed.names finds "佐藤" and "さとう" as Satou and Satoh. Only rows
beyond ASCII are read again. An older program beside this one finds and writes as it did.
"""

from importlib import import_module

revision = "0040_long_vowels"
down_revision = "0039_japanese_names"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # It adds whatever words a name has today and the row lacks.
    import_module("services.crm.migrations.versions.0025_latin_spellings").upgrade()


def downgrade() -> None:
    """The added words harm no older program."""
