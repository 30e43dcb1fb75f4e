"""Username for client login (C3): invites a client to the portal, shows how far she came, takes access back."""
