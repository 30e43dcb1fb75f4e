"""The demo's directory of suppliers."""

from chassis.cards import Brand
from services.crm.core.actor import Actor
from services.crm.parts import Dependencies
from services.crm.sales.suppliers.rules import SupplierData

_USUAL = (Brand.VISA, Brand.MASTERCARD)
_SUPPLIERS = (
    SupplierData(
        name="Aurora Cruises",
        phone="+1 305 555 0142",
        payment_page="https://agents.aurora.example/pay",
        brands=(*_USUAL, Brand.AMEX, Brand.DISCOVER),
        commission_points=14_00,
        note="Ask for the travel agents' desk.",
    ),
    SupplierData(name="Bluewater Line", phone="+1 206 555 0117", brands=_USUAL, commission_points=12_50),
    SupplierData(name="Meridian Voyages", phone="+44 20 7946 0958", payment_page="https://meridian.example/agents"),
    SupplierData(name="Polar Star Expeditions", phone="+47 22 55 01 75", brands=(*_USUAL, Brand.AMEX)),
    SupplierData(name="Lorelei River Cruises", phone="+49 30 5550 0133", brands=_USUAL, commission_points=15_00),
)


def add_suppliers(deps: Dependencies, agent: Actor) -> None:
    """Fills the agency's directory, when it has none."""
    if deps.sales.suppliers.list_page(agent, "", 1).total == 0:
        for supplier in _SUPPLIERS:
            deps.sales.suppliers.add(agent, supplier)
