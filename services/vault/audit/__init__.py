"""Who did what to which card, when, from where, and with what result: append-only, chained, signed."""
