"""Views of a list that an agent keeps under a name: its filter, search and order."""
