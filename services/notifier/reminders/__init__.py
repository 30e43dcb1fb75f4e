"""Reminders of payments that fall due (C9): scheduled here, sent once, never for what is paid (N4)."""
