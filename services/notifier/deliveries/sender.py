"""Sends what is due: takes a delivery in flight, renders it at that moment, hands it over, writes down how it went."""

import json
import threading
from dataclasses import dataclass
from typing import Final

import structlog
from jinja2 import UndefinedError
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import Database
from chassis.sealing import LetterExpired, LetterReader, SealError
from services.notifier.agencies.service import Looks
from services.notifier.deliveries.message import Attachment, MessageRefused, build
from services.notifier.deliveries.models import Delivery
from services.notifier.deliveries.rules import DeliveryState, Outcome, Refused, mask_address
from services.notifier.deliveries.service import Deliveries, NewDelivery
from services.notifier.deliveries.transports import Transport
from services.notifier.deliveries.words import card
from services.notifier.letters.rules import may_sign
from services.notifier.templates.rules import Mail
from services.notifier.templates.service import render

POLL_SECONDS: Final = 0.25
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """What a try needs of the row, read before the transaction ended."""

    id: str
    agency_id: str
    attempts: int
    template: Mail
    address: str
    sealed_letter: str | None
    data: dict[str, str]
    attachment: Attachment | None


class Sender:
    """One sending loop; a process runs a few, and several processes may run side by side."""

    def __init__(
        self,
        *,
        database: Database,
        deliveries: Deliveries,
        transport: Transport,
        letters: LetterReader,
        looks: Looks,
        clock: Clock,
        mail_from: str,
        wake: threading.Event,
    ) -> None:
        self._database = database
        self._deliveries = deliveries
        self._transport = transport
        self._letters = letters
        self._looks = looks
        self._clock = clock
        self._mail_from = mail_from
        self._wake = wake

    def run(self, stop: threading.Event) -> None:
        """Sends until told to stop. `wake` is set by the consumer's commits, so that a code leaves at once."""
        while not stop.is_set():
            if not self.send_next():
                self._wake.wait(POLL_SECONDS)
                self._wake.clear()

    def send_next(self) -> bool:
        """Tries one due delivery; False when none is due."""
        with self._database.transaction() as session:
            row = self._deliveries.claim(session)
            taken = _taken(row) if row is not None else None
        if taken is None:
            return False
        outcome = self._try(taken)
        with self._database.transaction() as session:
            following = self._deliveries.finish(session, taken.id, taken.attempts, outcome)
            if following is not None and following.state is DeliveryState.SENT and taken.template is Mail.PAYMENT_LINK:
                self._confirm_to_agent(session, session.get_one(Delivery, taken.id), taken)
        state = following.state.value if following else "taken over"
        log.info(
            "delivery.tried", delivery_id=taken.id, mail=taken.template.value, state=state, attempts=taken.attempts
        )
        return True

    def _try(self, taken: _Taken) -> Outcome:
        try:
            recipient, data = self._opened(taken)
            theme = self._looks.theme(taken.agency_id, taken.data)
            rendered = render(taken.template, data, theme)
            message = build(
                message_id=taken.id,
                sender_name=theme.name,
                sender_address=self._mail_from,
                reply_to=theme.email,
                recipient=recipient,
                rendered=rendered,
                attachment=taken.attachment,
                logo=theme.logo,
                now=self._clock.now(),
            )
        except LetterExpired:
            return Refused(reason="What it carried expired before it could be sent. Please ask for a new one.")
        except SealError:
            return Refused(reason="The sealed letter could not be read.")
        except MessageRefused as error:
            return Refused(reason=str(error))
        except UndefinedError:
            log.error("delivery.template_lacks_data", delivery_id=taken.id, mail=taken.template.value)
            return Refused(reason="The mail could not be written.")
        return self._transport.send(message, recipient)

    def _opened(self, taken: _Taken) -> tuple[str, dict[str, str]]:
        """The recipient and what the template shows; a sealed letter is opened only now, and kept nowhere."""
        if taken.sealed_letter is None:
            return taken.address, taken.data
        opened = self._letters.open(taken.sealed_letter, self._clock.now())
        if not may_sign(opened.issuer, opened.letter.template):
            raise SealError("the letter's signer may not write it")
        inner = opened.letter.data
        shown = {"void_reason": ""} | taken.data | inner
        if inner.get("last4"):
            shown["card"] = card(inner.get("brand", ""), inner["last4"])
        return opened.letter.to, shown

    def _confirm_to_agent(self, session: Session, row: Delivery, taken: _Taken) -> None:
        """Tells the agent that her client's link is on its way (M1)."""
        if not taken.data.get("agent_address"):
            return
        self._deliveries.queue(
            session,
            NewDelivery(
                source_key=f"{row.source_key}:{Mail.LINK_SENT}",
                template=Mail.LINK_SENT,
                agency_id=row.agency_id,
                address=taken.data["agent_address"],
                address_hint=mask_address(taken.data["agent_address"]),
                data=taken.data | {"url": taken.data["booking_url"]},
                payment_id=row.payment_id,
                agent_id=row.agent_id,
            ),
        )


def _taken(row: Delivery) -> _Taken:
    attachment = None
    if row.attachment is not None and row.attachment_name is not None:
        attachment = Attachment(name=row.attachment_name, content=row.attachment)
    return _Taken(
        id=row.id,
        agency_id=row.agency_id,
        attempts=row.attempts,
        template=Mail(row.template),
        address=row.address,
        sealed_letter=row.sealed_letter,
        data=json.loads(row.data),
        attachment=attachment,
    )
