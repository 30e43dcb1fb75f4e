"""Signatures: what counts as one, and the signed PDF with its certificate page."""
