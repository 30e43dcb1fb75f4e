"""Second reveals (docs/product.md M9): the owner asks, another enrolled person of their agency approves or refuses."""
