"""Payments by phone: the masker between client and agent, and what it captures (docs/product.md, T1 to T9).

A program of its own in the vault's zone: no database, no bus, no mail. `signal` judges sound, `calls` relays it,
`capture` holds a session's digits until they are sealed.
"""
