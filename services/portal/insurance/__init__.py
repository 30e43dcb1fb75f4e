"""Travel insurance: an offer, accepted or declined, and signed (C7, P7)."""
