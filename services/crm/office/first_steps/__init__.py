"""What an admin does before an agency's first real payment, one step after the other (C20)."""
