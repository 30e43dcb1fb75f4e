"""Quote requests from the portal (C10): an inbox, and one step to a booking."""
