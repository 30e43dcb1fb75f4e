"""What every table of the vault's database hangs on."""

from sqlalchemy.orm import DeclarativeBase

from chassis.db import make_metadata


class Base(DeclarativeBase):
    """The vault's tables. Rooms' models.py derive from it; services.vault.models imports them all."""

    metadata = make_metadata()
