"""What a charge and a refund may do when. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum, auto
from typing import Final

from chassis.backoff import grown


class ChargeState(StrEnum):
    """Where a charge stands."""

    # Committed; no card has left the vault.
    INTENT = auto()
    # The gateway was asked, and what became of it is not known yet.
    ASKING = auto()
    SUCCEEDED = auto()
    DECLINED = auto()
    # The client has something to do, at the bank or on the gateway's page.
    NEEDS_CLIENT = auto()
    # Known not to have been made.
    FAILED = auto()
    VOIDED = auto()


class RefundState(StrEnum):
    """Where a refund stands. FAILED: nothing was given back, so its amount may be asked for again."""

    ASKING = auto()
    PENDING = auto()
    SUCCEEDED = auto()
    FAILED = auto()


S = ChargeState

# Each change is one conditional UPDATE from these states; what is not here can't happen.
MOVES: Final[dict[ChargeState, frozenset[ChargeState]]] = {
    S.INTENT: frozenset({S.ASKING, S.FAILED}),
    S.ASKING: frozenset({S.SUCCEEDED, S.DECLINED, S.NEEDS_CLIENT, S.FAILED, S.VOIDED}),
    S.NEEDS_CLIENT: frozenset({S.SUCCEEDED, S.DECLINED, S.FAILED, S.VOIDED}),
    S.SUCCEEDED: frozenset({S.VOIDED}),
    S.DECLINED: frozenset(),
    S.FAILED: frozenset(),
    S.VOIDED: frozenset(),
}

# A payment has at most one of these: asking for a second charge beside it would be charging twice.
STANDING: Final = frozenset({S.INTENT, S.ASKING, S.NEEDS_CLIENT, S.SUCCEEDED})
# What the poller asks the gateway about.
OPEN: Final = frozenset({S.INTENT, S.ASKING, S.NEEDS_CLIENT})

# How long a call to a gateway may take before its outcome counts as unknown, in seconds.
GATEWAY_PATIENCE: Final = 15.0
# How old an open charge is before the poller touches it: the call that asked has long given up by then.
SETTLE_AFTER: Final = timedelta(seconds=40)
# The poller asks again after this long, doubling with each time it learned nothing new.
ASK_AGAIN_FIRST: Final = timedelta(seconds=20)
ASK_AGAIN_MOST: Final = timedelta(minutes=10)

# A client's bank may send a refund back for so long after it left (docs.stripe.com/refunds, "Failed refunds").
MAY_COME_BACK_FOR: Final = timedelta(days=30)
# How often the poller looks at one that left: the gateway's message about it may have got lost.
LOOK_AGAIN_EVERY: Final = timedelta(days=1)


def sources(target: ChargeState) -> tuple[ChargeState, ...]:
    """The states from which a charge can come to `target`, for the WHERE of a conditional UPDATE."""
    return tuple(state for state, targets in MOVES.items() if target in targets)


def refund_sources(target: RefundState) -> tuple[RefundState, ...]:
    """From which states a refund comes to `target`. One that arrived may come back: the client's card has ended."""
    opened = (RefundState.ASKING, RefundState.PENDING)
    return (*opened, RefundState.SUCCEEDED) if target is RefundState.FAILED else opened


def ask_again_in(asked: int) -> timedelta:
    """How long the poller waits after having asked so many times."""
    return grown(ASK_AGAIN_FIRST, asked, ASK_AGAIN_MOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRefused:
    """Why a refund can't be asked for."""

    why: str


def refund_refusal(state: ChargeState, *, charged: int, refunded: int, wanted: int) -> RefundRefused | None:
    """What speaks against giving `wanted` minor units back."""
    if state is not ChargeState.SUCCEEDED:
        return RefundRefused(why="Only a charge that succeeded can be refunded.")
    if wanted <= 0:
        return RefundRefused(why="Enter an amount above zero.")
    if wanted > charged - refunded:
        if refunded >= charged:
            return RefundRefused(why="This charge has been refunded in full.")
        return RefundRefused(why="That is more than what is left of this charge.")
    return None
