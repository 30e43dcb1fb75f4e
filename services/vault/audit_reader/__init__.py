"""Reading the trail of one agency (C13)."""
