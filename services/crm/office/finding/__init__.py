"""Find and do: one search over clients, bookings, payments, suppliers and what one can do (C17)."""
