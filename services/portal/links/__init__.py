"""Payment authorization links: what a link is worth now, and how a client opens one."""
