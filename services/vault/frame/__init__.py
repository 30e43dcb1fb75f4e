"""The secure frame: static pages, on an origin of their own, in which cards are typed and shown."""
