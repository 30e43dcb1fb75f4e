"""What is due when on a booking, and what of it is paid: one reading of the money for pages, links and reminders."""
