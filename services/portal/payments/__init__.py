"""Payment authorization: the client's form, the hand-over to the vault, and what became of the payment."""
