"""The agency's suppliers: whom to call, where to pay, which cards they take (C16)."""
