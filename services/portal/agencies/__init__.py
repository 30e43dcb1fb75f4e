"""How each agency looks today: name, colour, logo (C13)."""
