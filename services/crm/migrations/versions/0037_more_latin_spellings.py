"""Names of other scripts found by more of their Latin spellings

Revision: 0037_more_latin_spellings, after 0036_dues_of_trips

Adds to clients and bookings the words by which chassis.typed.names finds "Мария" as Maria, "王小明" as Xiaoming and
"محمد" as Mohammed. Only rows beyond ASCII are read again. An older program beside this one finds and writes as it did.
"""

from importlib import import_module

revision = "0037_more_latin_spellings"
down_revision = "0036_dues_of_trips"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # It adds whatever words a name has today and the row lacks.
    import_module("services.crm.migrations.versions.0025_latin_spellings").upgrade()


def downgrade() -> None:
    """The added words harm no older program."""
