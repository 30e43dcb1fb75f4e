"""The place on a client's page that other rooms fill."""

from services.crm.core.panels import Place
from services.crm.sales.clients.service import ClientDetail

CLIENT_PAGE: Place[ClientDetail] = Place("client")
