"""Every e-mail of the system: queued, rendered, sent, retried, and told about."""
