"""Travel insurance offered to passengers, accepted or declined with a signature (C7)."""
