"""Standing orders (G3): a service fee that the client authorizes once, and that the worker charges on its days."""
