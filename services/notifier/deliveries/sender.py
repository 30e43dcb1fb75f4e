"""Sends what is due: takes a delivery, renders it at that moment, hands it over, writes down how it went."""

import json
import threading
from dataclasses import dataclass
from typing import Final

import structlog
from jinja2 import UndefinedError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chassis.backoff import grown
from chassis.clock import Clock
from chassis.db import Database
from chassis.sealing import LetterExpired, LetterReader, SealError
from services.notifier.agencies.service import Looks
from services.notifier.deliveries.formats import card
from services.notifier.deliveries.leases import Leases
from services.notifier.deliveries.message import Attachment, MessageRefused, ReplyTo, build, unpacked
from services.notifier.deliveries.models import Delivery
from services.notifier.deliveries.rules import PAUSES, DeliveryState, Next, Outcome, Refused, Stumbled, mask_address
from services.notifier.deliveries.service import Deliveries, DeliveryColumns, NewDelivery
from services.notifier.deliveries.transports import Transport
from services.notifier.letters.rules import may_sign
from services.notifier.templates.rules import Mail, Theme
from services.notifier.templates.service import render

POLL_SECONDS: Final = 0.25
# How long it waits when the database does not answer, at first and at most.
OUTWAIT_SECONDS: Final = (0.2, 5.0)
_KNOWN: Final = frozenset(mail.value for mail in Mail)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """What a try needs of the row, read before the transaction ended."""

    id: str
    agency_id: str
    attempts: int
    template: str
    address: str
    sealed_letter: str | None
    data: dict[str, str]
    attachments: tuple[Attachment, ...]
    theme: Theme


class Sender:
    """One sending loop; a process runs a few, and several processes may run side by side."""

    def __init__(
        self,
        *,
        database: Database,
        deliveries: Deliveries,
        leases: Leases,
        transport: Transport,
        letters: LetterReader,
        looks: Looks,
        clock: Clock,
        mail_from: str,
        wake: threading.Event,
    ) -> None:
        self._database = database
        self._deliveries = deliveries
        self._leases = leases
        self._transport = transport
        self._letters = letters
        self._looks = looks
        self._clock = clock
        self._mail_from = mail_from
        self._wake = wake

    def run(self, stop: threading.Event) -> None:
        """Sends until told to stop. `wake` is set by the consumer's commits, so that a code leaves at once.

        Nothing ends it but `stop`: a database that is away is waited for, and a delivery that goes wrong is settled by
        itself, so that the others leave.
        """
        failures = 0
        while not stop.is_set():
            try:
                if not self.send_due(stop):
                    self._transport.let_go()
            except Exception as error:
                log.warning("sender.interrupted", error=type(error).__name__)
                stop.wait(grown(OUTWAIT_SECONDS[0], failures, OUTWAIT_SECONDS[1]))
                failures += 1
                continue
            failures = 0
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()
        self._transport.let_go(all_of_it=True)

    def send_due(self, stop: threading.Event | None = None) -> int:
        """Tries what is due, one after the other; returns how many. Once one was handed to the mail server, what came
        of it is written down even if the database has to be waited for; only `stop` ends that."""
        stop, tried = stop or threading.Event(), 0
        # A lease that a power cut undoes only means that the mail is taken anew.
        with self._database.transaction(durable=False) as session:
            taken = self._claimed(session)
        while taken is not None:
            tried += 1
            with self._leases.held(taken.id):
                outcome = self._outcome(taken)
                following, after = self._settled(taken, outcome, stop)
            state = following.state.value if following else "taken over"
            log.info("delivery.tried", delivery_id=taken.id, mail=taken.template, state=state, attempts=taken.attempts)
            taken = after
        return tried

    def _claimed(self, session: Session) -> _Taken | None:
        row = self._deliveries.claim(session, lapsed=self._leases.lapsed_before())
        return None if row is None else _taken(row, self._looks.theme(session, row.agency_id, _data(row)))

    def _outcome(self, taken: _Taken) -> Outcome:
        """How the try went, whatever happens in it."""
        if taken.attempts > len(PAUSES) + 1:
            # Only tries that never came to an end count past the last pause: the process died in each.
            return Refused(reason="Every try broke off before its end. It was given up.")
        if taken.template not in _KNOWN:
            # A newer version side by side with this one may know it.
            log.warning("delivery.unknown_mail", delivery_id=taken.id, mail=taken.template)
            return Stumbled(reason="This version of Wayvault does not know this kind of e-mail.")
        try:
            return self._try(taken, Mail(taken.template))
        except Exception:
            log.exception("delivery.failed_unforeseen", delivery_id=taken.id, mail=taken.template)
            return Stumbled(reason="The e-mail could not be made: a fault in Wayvault, not of the address.")

    def _settled(self, taken: _Taken, outcome: Outcome, stop: threading.Event) -> tuple[Next | None, _Taken | None]:
        """Writes the outcome down, and in the same transaction takes the next delivery. While the database is away the
        outcome is kept here and tried again: forgetting that a mail was sent would send it twice."""
        failures = 0
        while True:
            try:
                with self._database.transaction() as session:
                    return self._finish(session, taken, outcome), self._next(session, stop)
            except SQLAlchemyError as error:
                log.warning("delivery.outcome_kept", delivery_id=taken.id, error=type(error).__name__)
                if stop.wait(grown(OUTWAIT_SECONDS[0], failures, OUTWAIT_SECONDS[1])):
                    raise
                failures += 1
            except Exception:
                log.exception("delivery.reaction_failed", delivery_id=taken.id, mail=taken.template)
                return self._settled_alone(taken, outcome, stop)

    def _finish(self, session: Session, taken: _Taken, outcome: Outcome) -> Next | None:
        following = self._deliveries.finish(session, taken.id, taken.attempts, outcome)
        if following is not None and following.state is DeliveryState.SENT and taken.template == Mail.PAYMENT_LINK:
            self._confirm_to_agent(session, session.get_one(Delivery, taken.id), taken)
        return following

    def _settled_alone(
        self, taken: _Taken, outcome: Outcome, stop: threading.Event
    ) -> tuple[Next | None, _Taken | None]:
        """The delivery's own end, without the reactions to it, one of which can't be made to work."""
        with self._database.transaction() as session:
            following = self._deliveries.finish(session, taken.id, taken.attempts, outcome, tell_follower=False)
            return following, self._next(session, stop)

    def _next(self, session: Session, stop: threading.Event) -> _Taken | None:
        return None if stop.is_set() else self._claimed(session)

    def _try(self, taken: _Taken, mail: Mail) -> Outcome:
        try:
            recipient, data = self._opened(taken)
            theme = taken.theme
            rendered = render(mail, data, theme)
            message = build(
                message_id=taken.id,
                sender_name=theme.name,
                sender_address=self._mail_from,
                reply_to=_answers_to(data, theme, recipient),
                recipient=recipient,
                rendered=rendered,
                attachments=taken.attachments,
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
            log.error("delivery.template_lacks_data", delivery_id=taken.id, mail=mail.value)
            return Stumbled(reason="The e-mail could not be written: something that it shows is missing.")
        return self._transport.send(message, message["To"].addresses[0].addr_spec)

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
        """Tells the agent that their client's link is on its way (M1)."""
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


def _data(row: DeliveryColumns) -> dict[str, str]:
    try:
        data = json.loads(row.data)
    except ValueError:
        data = None
    return data if isinstance(data, dict) else {}


def _answers_to(data: dict[str, str], theme: Theme, recipient: str) -> ReplyTo:
    """The client's answer goes to the agent; an agent's to the agency, where it has an address."""
    agent = data.get("agent_email", "")
    if agent and agent.casefold() != recipient.casefold():
        return ReplyTo(address=agent, name=data.get("agent_name", ""))
    return ReplyTo(address=theme.email, name=theme.name if theme.email else "")


def _taken(row: DeliveryColumns, theme: Theme) -> _Taken:
    attachments = unpacked(row.copies) if row.copies else ()
    if row.attachment is not None and row.attachment_name is not None:
        attachments = (Attachment(name=row.attachment_name, content=row.attachment),)
    return _Taken(
        id=row.id,
        agency_id=row.agency_id,
        attempts=row.attempts,
        template=row.template,
        address=row.address,
        sealed_letter=row.sealed_letter,
        data=_data(row),
        attachments=attachments,
        theme=theme,
    )
