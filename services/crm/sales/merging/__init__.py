"""Two profiles of one person become one (C4)."""
