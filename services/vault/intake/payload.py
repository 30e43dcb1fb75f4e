"""What the secure frame sealed, read strictly; and the plaintexts that go to transit.

The plaintexts are the very JSON that the frame will get back, so showing a card needs no parsing.
Nothing here raises an error that quotes the input.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn

from chassis.cards import Brand, brand_of, cvv_sizes
from chassis.errors import CardInvalid, SealBroken
from services.vault.card_data import CardDataError, Cvv, Pan
from services.vault.intake.rules import check_expiry, check_length, check_name


@dataclass(frozen=True, slots=True, kw_only=True)
class CardDetails:
    """A checked card, ready to encrypt. The plaintexts never show in a repr. No CVV: none is wanted, or it has none."""

    brand: Brand
    last4: str
    name: str
    plaintext: bytes = field(repr=False)
    cvv_plaintext: bytes | None = field(repr=False)


def read_card(payload: bytes, intake_id: str, now: datetime, *, keeps_cvv: bool) -> CardDetails:
    """Where the agency's policy keeps no CVV, whatever came as one is dropped unread (PCI DSS 3.3.1).

    Raises SealBroken when the payload is not of the frame's making, CardInvalid with the field at fault.
    """
    fields = _fields(payload, {"pan", "exp_month", "exp_year", "cvv", "name", "intake_id"}, intake_id)
    try:
        pan = Pan.parse(_text(fields, "pan"))
    except CardDataError as error:
        raise CardInvalid(str(error), field="pan") from None
    digits = pan.reveal()
    brand = brand_of(digits)
    check_length(digits)
    month, year = check_expiry(fields["exp_month"], fields["exp_year"], now)
    cvv_plaintext = _cvv_plaintext(_text(fields, "cvv"), brand) if keeps_cvv else None
    name = check_name(fields["name"])
    card = {"pan": digits, "exp_month": month, "exp_year": year, "name": name, "brand": str(brand)}
    return CardDetails(
        brand=brand,
        last4=pan.last4,
        name=name,
        plaintext=json.dumps(card, ensure_ascii=False, separators=(",", ":")).encode(),
        cvv_plaintext=cvv_plaintext,
    )


def read_cvv(payload: bytes, intake_id: str, brand: str) -> bytes:
    """The plaintext of a CVV sealed alone. Raises as `read_card`."""
    plaintext = _cvv_plaintext(_text(_fields(payload, {"cvv", "intake_id"}, intake_id), "cvv"), brand)
    if plaintext is None:
        raise CardInvalid("Please enter the security code.", field="cvv")
    return plaintext


def _cvv_plaintext(text: str, brand: str) -> bytes | None:
    """None for a card that has no security code, where the brand's cards may have none."""
    sizes = cvv_sizes(brand)
    if not text and 0 in sizes:
        return None
    try:
        cvv = Cvv.parse(text, sizes=tuple(filter(None, sizes)))
    except CardDataError as error:
        raise CardInvalid(str(error), field="cvv") from None
    return json.dumps({"cvv": cvv.reveal()}, separators=(",", ":")).encode()


def _fields(payload: bytes, names: set[str], intake_id: str) -> dict[str, Any]:
    try:
        fields = json.loads(payload, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise SealBroken from None
    if not isinstance(fields, dict) or set(fields) != names or fields["intake_id"] != intake_id:
        raise SealBroken
    return fields


def _refuse(_: str) -> NoReturn:
    raise ValueError


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str) or len(value) > 40 or not value.isascii():
        raise CardInvalid(field=name)
    return value
