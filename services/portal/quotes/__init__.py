"""The agent's public page (P1): who she is, and a form with which a visitor asks for a trip and registers."""
