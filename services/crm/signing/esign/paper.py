"""The form for a client without a computer: a document's text, and lines to sign on by hand.

It has no place for a card number and asks for none to be written on it: paper with a card number would have to be kept
and destroyed as PCI DSS 4.0.1, 9.4, wants it.
"""

from dataclasses import dataclass
from datetime import datetime

from chassis.paper import sheet
from chassis.paper.letterhead import Letterhead
from chassis.paper.sheet import Sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperForm:
    """What the form says. `made_at`, aware, is the moment that the file bears: the same form gives the same bytes."""

    head: Letterhead
    title: str
    text: str
    signer_name: str
    agent_name: str
    made_at: datetime

    @property
    def no_card(self) -> str:
        """What keeps a card number off the form."""
        return (
            f"Please don't write a card number on this form. {self.agent_name} takes it by phone, "
            "where nobody hears or sees it."
        )

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """What is filled in by hand, and what is filled in already."""
        return (("Signature", ""), ("Name in capitals", self.signer_name.upper()), ("Place and date", ""))


def form_pdf(form: PaperForm) -> bytes:
    """The form as PDF bytes."""
    return sheet.pdf(
        Sheet(
            head=form.head,
            title=form.title,
            footer=f"{form.title}, {form.signer_name}"[:90],
            made_at=form.made_at,
            blocks=(
                sheet.rule(),
                sheet.say(form.text),
                sheet.strong(form.no_card),
                *(sheet.blank(label, text) for label, text in form.lines),
            ),
        )
    )
