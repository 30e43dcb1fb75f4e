"""An agent's own public page (P11): the name in its address, and what they put into their own website."""
