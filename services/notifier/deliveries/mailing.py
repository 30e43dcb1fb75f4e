"""How the rooms ask for a mail about an event: one that a sealed letter brings, or one in the notifier's own words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from chassis.bus import EventMeta
from chassis.clock import Clock
from chassis.sealing import Letter, LetterExpired, LetterReader, SealError
from protos.wayvault.events.v1.events_pb2 import Agent, PaymentContext
from services.notifier.deliveries.formats import agency_data, payment_facts
from services.notifier.deliveries.message import Attachment
from services.notifier.deliveries.service import Deliveries, NewDelivery
from services.notifier.letters.rules import may_sign
from services.notifier.templates.rules import Mail

# What a mail says; where that needs the letter itself, a function of it.
Facts = Mapping[str, str] | Callable[[Letter], Mapping[str, str]]


class LetterRefused(Exception):
    """A letter whose signer may not write it, or that can't be read. Becomes a dead letter for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """Queues mails in the caller's transaction. An event asks for each of its mails once, however often it comes."""

    deliveries: Deliveries
    letters: LetterReader
    clock: Clock

    def letter(
        self,
        session: Session,
        meta: EventMeta,
        sealed: str,
        facts: Facts,
        *,
        agent_id: str,
        payment_id: str = "",
        link_id: str = "",
        attachment: Attachment | None = None,
        copies: Sequence[Attachment] = (),
    ) -> None:
        """The mail that a sealed letter brings; one that came past its time is told instead. Raises LetterRefused."""
        letter = self.open(sealed)
        if letter is None:
            self.deliveries.report_unreadable(
                session, agency_id=meta.agency_id, payment_id=payment_id, agent_id=agent_id
            )
            return
        self.deliveries.queue(
            session,
            NewDelivery(
                source_key=f"{meta.event_id}:{letter.template}",
                template=Mail(letter.template),
                agency_id=meta.agency_id,
                address=letter.to,
                sealed_letter=sealed,
                data=facts(letter) if callable(facts) else facts,
                attachment=attachment,
                copies=copies,
                payment_id=payment_id,
                link_id=link_id,
                agent_id=agent_id,
                expires_at=letter.expires_at,
            ),
        )

    def mail(
        self,
        session: Session,
        meta: EventMeta,
        mail: Mail,
        facts: Mapping[str, str],
        *,
        to: str,
        agent_id: str,
        payment_id: str = "",
        attachment: Attachment | None = None,
        expires_at: datetime | None = None,
        each: str = "",
    ) -> None:
        """A mail in the notifier's own words. `each` tells those of one kind about one event apart: who gets them."""
        self.deliveries.queue(
            session,
            NewDelivery(
                source_key=":".join(part for part in (meta.event_id, mail, each) if part),
                template=mail,
                agency_id=meta.agency_id,
                address=to,
                data=facts,
                attachment=attachment,
                payment_id=payment_id,
                agent_id=agent_id,
                expires_at=expires_at,
            ),
        )

    def about_payment(
        self,
        session: Session,
        meta: EventMeta,
        mail: Mail,
        context: PaymentContext,
        extra: Mapping[str, str],
        *,
        to: Agent,
    ) -> None:
        """A mail to one of those in the agency who are to know something of a payment."""
        facts = payment_facts(context) | agency_data(context.agency) | {"agent_name": to.name} | dict(extra)
        self.mail(session, meta, mail, facts, to=to.email, agent_id=to.id, payment_id=context.payment_id, each=to.id)

    def open(self, sealed: str) -> Letter | None:
        """The letter, its signer checked; None when it is past its time. Raises LetterRefused."""
        try:
            opened = self.letters.open(sealed, self.clock.now())
        except LetterExpired:
            return None
        except SealError as error:
            raise LetterRefused(str(error)) from error
        if not may_sign(opened.issuer, opened.letter.template):
            raise LetterRefused(f"{opened.issuer} may not write the letter {opened.letter.template}")
        return opened.letter
