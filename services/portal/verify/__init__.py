"""The public page that says whether a PDF is still the one that was signed (C8)."""
