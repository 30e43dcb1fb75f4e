"""The browser tests' whole system, for faults that take minutes."""

from tests.e2e.conftest import browser, signed_in, stack, world

__all__ = ["browser", "signed_in", "stack", "world"]
