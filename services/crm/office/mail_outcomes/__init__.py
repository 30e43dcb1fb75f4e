"""E-mails that did not arrive: kept until somebody has seen to them (N2, C13)."""
