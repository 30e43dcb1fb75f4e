"""eSignatures (C8): the document library, what was sent to be signed, and what was signed."""
