"""Templates: what each e-mail says, as text and HTML, in the agency's name and colour (PRODUCT N1)."""
