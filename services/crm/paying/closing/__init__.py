"""Closing a payment: processed with the supplier, or void; either destroys the card (M7)."""
