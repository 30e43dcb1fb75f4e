"""Rows of the merges room."""

from chassis.db.references import MergedIds
from services.portal.orm import Base

merged_clients = MergedIds.attach(Base.metadata, name="merged_client")
