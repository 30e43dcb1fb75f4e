"""Payment authorization links: send, resend, revoke, expire, and what became of their e-mails (M1)."""
