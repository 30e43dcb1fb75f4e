"""The key pairs that browsers seal card data to: made daily, wrapped by transit, destroyed in time."""
