"""How often one address may do what anybody may do: counted in the database, so that it holds across processes."""
