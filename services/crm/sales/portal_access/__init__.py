"""Username for client login (C3): invites a client to the portal, shows how far they came, takes access back."""
