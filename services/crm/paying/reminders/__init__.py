"""Auto-reminders (C9): what they say, when they leave, for what they are off, and what was sent to whom."""
