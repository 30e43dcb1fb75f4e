"""A client's trips: what is booked, what is paid and due, and paying a part of it themselves (P3, P9)."""
