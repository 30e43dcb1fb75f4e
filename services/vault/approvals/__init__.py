"""Second reveals (docs/product.md M9): the owner asks, another enrolled person of her agency approves or refuses."""
