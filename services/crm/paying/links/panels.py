"""The place on the page of all links that another room fills."""

from services.crm.core.panels import Place

# What was asked for together with other things (C18).
LINKS_PAGE: Place[()] = Place("links")
