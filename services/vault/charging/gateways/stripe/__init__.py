"""Stripe, by PaymentIntents."""
