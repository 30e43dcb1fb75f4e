"""Payments that were made otherwise than by a card through Wayvault, and the correction of mistakes (C6)."""
