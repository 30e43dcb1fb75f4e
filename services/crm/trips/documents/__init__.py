"""Files for the travelers of a booking: uploaded by its agent, shared with all or some, taken back (P4, C3)."""
