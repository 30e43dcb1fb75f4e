"""PDFs for people: one sheet, its fonts, and what every printed page of the house has in common."""
