"""Client lists from elsewhere: read, mapped, tried, brought in with duplicates merged, and undone (C15)."""
