"""The place on a company's or household's page that other rooms fill: a group and its members."""

from collections.abc import Sequence

from services.crm.core.panels import Place
from services.crm.sales.clients.service import ClientDetail
from services.crm.sales.groups.rules import Group

GROUP_PAGE: Place[Group, Sequence[ClientDetail]] = Place("group")
