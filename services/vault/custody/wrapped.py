"""Where the cards' ciphertexts are kept, for key management (services.vault.keys)."""

from typing import Final, cast

from sqlalchemy import Table

from services.vault.custody.models import CardRow
from services.vault.transit.service import KeyName, WrappedColumn, card_context, cvv_context

_TABLE: Final = cast("Table", CardRow.__table__)


def wrapped_columns() -> tuple[WrappedColumn, ...]:
    """The cards' and the CVVs' columns."""
    card = WrappedColumn(
        key=KeyName.CARD,
        table=_TABLE,
        row_id="token",
        cipher="cipher",
        version="key_version",
        context_columns=("token", "agency_id"),
        context_of_row=card_context,
    )
    cvv = WrappedColumn(
        key=KeyName.CVV,
        table=_TABLE,
        row_id="token",
        cipher="cvv_cipher",
        version="cvv_key_version",
        context_columns=("token", "agency_id"),
        context_of_row=cvv_context,
    )
    return card, cvv
