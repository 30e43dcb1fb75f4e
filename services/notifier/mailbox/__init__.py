"""The mailbox: on a developer's machine, every message instead of a mail server (PRODUCT N3)."""
