"""Companies and households: whom clients belong to beside themselves (issue 11)."""
