"""The agent's public page (P1): who they are, and a form with which a visitor asks for a trip and registers."""
