"""The CRM's side of card custody: the port to the vault, the cards it must destroy, the cards that lapse (M8, M11)."""
