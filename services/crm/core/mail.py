"""Addresses that the CRM is about to send something to."""

from chassis.errors import InvalidArgument
from chassis.mail_addresses import AddressRefused, wire_address


def require_mailable(address: str, *, field: str, whose: str = "") -> None:
    """Raises InvalidArgument, in words that name whose address it is, for one that no mail can be sent to.

    Forms refuse such addresses when they are typed; what was stored before, or came by another way, is found here.
    """
    try:
        wire_address(address)
    except AddressRefused as error:
        words = f"No e-mail can be sent to {whose}'s address {address}. {error}" if whose else str(error)
        raise InvalidArgument(words, field=field) from error
