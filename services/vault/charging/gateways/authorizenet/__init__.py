"""Authorize.Net: its API's JSON form (developer.authorize.net/api/reference)."""
