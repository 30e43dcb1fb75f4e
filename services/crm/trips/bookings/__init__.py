"""Trips: segments, passengers, what is due when."""
