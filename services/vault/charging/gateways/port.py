"""What charging asks of a gateway. A second gateway is a second folder that implements `Gateway`.

The order that makes a charge exact: `prepare` (no card, may be repeated), commit, `charge` (at most once), and, when
its answer is lost, `find_out`, which either learns what happened or makes sure that it can't happen any more.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, auto
from typing import Final, Protocol

from services.vault.card_data import Cvv, Pan
from services.vault.charging.rules import ChargeState, RefundState

# The code of a charge that waits until the client has typed the card on the gateway's page.
HOSTED_PAGE: Final = "hosted_page"


class GatewayError(Exception):
    """The gateway did not do what it was asked."""


class GatewayUnknown(GatewayError):
    """No answer, or one that says nothing: what was asked may or may not have been done."""


class GatewayRefused(GatewayError):
    """The gateway said no before doing anything: the key is wrong, the request is not acceptable. `code` is ours."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NoticeRefused(GatewayError):
    """A message that claims to be the gateway's and is not, or is too old."""


class RawCardsRefused(GatewayRefused):
    """The account takes no card numbers; the client has to type the card on the gateway's page."""

    def __init__(self) -> None:
        super().__init__("raw_cards_refused")


class AmountRefused(GatewayRefused):
    """The gateway can't charge this amount in this currency; `words` says why."""

    def __init__(self, words: str) -> None:
        super().__init__("amount_refused")
        self.words = words


class Mode(StrEnum):
    """Whether money moves."""

    LIVE = auto()
    TEST = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The card of one charge, for the moment of the call."""

    pan: Pan = field(repr=False)
    exp_month: int = field(repr=False)
    exp_year: int = field(repr=False)
    name: str = field(repr=False)
    cvv: Cvv | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is charged. `id` is ours and makes every call about it idempotent; minor units as ISO 4217 has them."""

    id: str
    payment_id: str
    amount_minor: int
    currency: str
    description: str
    # The gateway is to keep the card, so that later charges need none here.
    keeps_card: bool = False
    # What is charged in place of a card: the `Outcome.mandate` of an earlier charge.
    mandate: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a charge. `reference` is the gateway's id, `code` a decline's, `client_url` what the client has to
    open; `mandate` the gateway's name for the card that it keeps, when the order said so and the charge succeeded."""

    state: ChargeState
    reference: str
    code: str = ""
    client_url: str = ""
    mandate: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOutcome:
    """What became of a refund."""

    state: RefundState
    reference: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Where gateways are. `hosts` are the only origins that charging calls."""

    stripe_url: str
    hosts: Collection[str]
    return_url: str
    authorizenet_url: str = "https://api.authorize.net"
    authorizenet_test_url: str = "https://apitest.authorize.net"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTold:
    """Which account a key is of, as the gateway tells; what it does not tell is empty."""

    reference: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A gateway that agencies may have. The problems are words for what was typed, without it; empty when there is
    none. `keeps_cards`: it takes orders with `keeps_card` and `mandate`. `key_from`: the key, from what was typed
    field by field in the secure frame (services/vault/frame/src/lib/gateway-keys.js); raises InvalidArgument that names
    the field, without what is in it."""

    name: str
    keeps_cards: bool
    # Whether `Gateway.books` is there, and whether `Gateway.read_notice` reads what the gateway sends.
    tells_books: bool
    takes_notices: bool
    key_from: Callable[[Mapping[str, str]], str]
    open: Callable[[str, GatewaySettings], "Gateway"]
    key_problem: Callable[[str], str]
    signing_problem: Callable[[str], str]
    is_live: Callable[[str], bool]


class MovementKind(StrEnum):
    """What moved money at the gateway."""

    CHARGE = auto()
    REFUND = auto()
    # A refund that came back.
    RETURNED = auto()
    # Whatever Wayvault did not ask for: disputes, the gateway's own fees, sales elsewhere.
    OTHER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Money that came to the account or left it, in minor units as ISO 4217 has them; what leaves is below zero.

    `charge_id` and `refund_id` are ours, as we told the gateway; `about` is the gateway's own id of what was charged
    or refunded. `words`: what the gateway calls it.
    """

    reference: str
    kind: MovementKind
    charge_id: str
    refund_id: str
    about: str
    gross_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    at: datetime
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """What the gateway sent to the agency's bank. `state`: the gateway's word. `itemized`: it can say what is in it."""

    reference: str
    amount_minor: int
    currency: str
    arrives_at: datetime
    state: str
    itemized: bool


class Books(Protocol):
    """What a gateway tells of its own books. Every method may raise GatewayUnknown and GatewayRefused; `too_many` is
    the code where a shorter time has to be asked for."""

    def movements(self, since: datetime, until: datetime) -> list[Movement]:
        """What moved from `since` on and before `until`, payouts themselves left out; newest first."""
        ...

    def payouts(self, since: datetime, until: datetime) -> list[Payout]:
        """Those that arrive within the time, newest first."""
        ...

    def paid_out(self, payout: Payout) -> list[Movement]:
        """What is in a payout."""
        ...


class Gateway(Protocol):
    """One account at one gateway. Every method may raise GatewayUnknown and GatewayRefused."""

    name: str
    mode: Mode

    @property
    def books(self) -> Books | None:
        """None where the gateway tells nothing of them."""
        ...

    def prove(self) -> AccountTold:
        """Asks the gateway whether it accepts the key, and for charges; changes nothing there."""
        ...

    def check_amount(self, amount_minor: int, currency: str) -> None:
        """Raises AmountRefused for what the gateway would refuse; asks nobody."""
        ...

    def prepare(self, order: Order) -> str:
        """Announces a charge without a card and gives its reference; may be repeated."""
        ...

    def charge(self, order: Order, reference: str, card: Card) -> Outcome:
        """Charges the card. Called at most once for an order. Raises RawCardsRefused when nothing was charged because
        the account takes no card numbers."""
        ...

    def charge_mandate(self, order: Order, reference: str) -> Outcome:
        """Charges the card that the gateway keeps, while the client is away. Called at most once for an order. One that
        the client would have to confirm is declined."""
        ...

    def end_mandate(self, mandate: str) -> None:
        """The gateway forgets the card. May be repeated."""
        ...

    def hosted_page(self, order: Order, reference: str) -> Outcome:
        """A page of the gateway on which the client pays; the order was not charged and can't be by `reference` any
        more."""
        ...

    def find_out(self, order: Order, reference: str, *, waits_for_client: bool) -> Outcome:
        """What became of a charge. One that never arrived is made impossible first, so the answer stays true; one that
        waits for the client goes on waiting."""
        ...

    def void(self, order: Order, reference: str) -> Outcome:
        """Makes sure that the client can't complete it any more, and tells how it stands then."""
        ...

    def find_refund(self, order: Order, reference: str, refund_id: str, refund_reference: str) -> RefundOutcome | None:
        """How a refund stands that was asked for before; None when the gateway has never heard of it."""
        ...

    def read_notice(self, body: bytes, signature: str, secret: str, now: datetime) -> frozenset[str]:
        """The references that a signed message names. Asks nobody. Raises NoticeRefused."""
        ...

    def refund(self, order: Order, reference: str, refund_id: str, amount_minor: int) -> RefundOutcome:
        """Gives money back. Repeating it with the same `refund_id` gives it back once."""
        ...
