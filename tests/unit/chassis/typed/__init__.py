"""The web layer's laws: colours, tripwire, sessions, policy, forms, formatting."""
