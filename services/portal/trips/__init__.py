"""A client's trips: what is booked, what is paid and due, and paying a part of it herself (P3, P9)."""
