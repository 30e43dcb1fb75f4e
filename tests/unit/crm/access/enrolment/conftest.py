"""A furnished CRM."""

from tests.unit.crm.sales.portal_access.conftest import site

__all__ = ["site"]
