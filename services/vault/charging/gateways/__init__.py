"""One folder per gateway; `port.py` is what each of them implements."""
