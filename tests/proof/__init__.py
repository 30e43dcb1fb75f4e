"""Proofs too long for the tests: measured, printed, and in part repeated by `make test`."""
