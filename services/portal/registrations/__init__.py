"""Registering without a trip in mind (P10): a visitor says who they are, proves their address and gets an account."""
