"""Ports that several streets use: what the CRM needs of the world, and nothing of how it is done."""
