"""The pages of the street of signing."""

from flask import Blueprint

from services.crm.signing.esign import views as _requests  # noqa: F401 - adds its pages to the library's blueprint
from services.crm.signing.esign.library_views import blueprint as esign
from services.crm.signing.insurance.views import blueprint as insurance

ROOMS: tuple[Blueprint, ...] = (esign, insurance)
