"""Rows of the merges room."""

from chassis.db.references import MergedIds
from services.notifier.orm import Base

merged_clients = MergedIds.attach(Base.metadata, name="merged_client")
