"""Rows of the profile room."""

from sqlalchemy import JSON, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from services.portal.orm import Base


class ProfileRow(Base):
    """A client's profile as they see it."""

    __tablename__ = "profiles"

    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(64))
    # A serialized wayvault.events.v1.ClientProfile: the CRM's newest word with their unanswered changes on it.
    shown: Mapped[bytes] = mapped_column(LargeBinary)
    # Field or row (rules.changed_fields) -> ISO moment of their change that the CRM has not answered yet.
    pending: Mapped[dict[str, str]] = mapped_column(JSON)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}
