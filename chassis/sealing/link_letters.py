"""Letters that bring a link to a page: its token stands in the letter alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from chassis.ids import new_id, new_link_token, token_sha256
from chassis.sealing.letters import Letter, LetterSealer


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLetter:
    """A link that was just made and the sealed letter that brings it.

    `token_sha256` is what a database keeps; the link itself can't be made again.
    """

    letter_id: str
    url: str = field(repr=False)
    token_sha256: str
    sealed: str


def link_letter(
    sealer: LetterSealer,
    *,
    template: str,
    to: str,
    page: str,
    issued_at: datetime,
    expires_at: datetime | None,
    more: Mapping[str, str] | None = None,
) -> LinkLetter:
    """Makes a token and seals the link to `page` that carries it, after the `#`, which no server is sent.

    `more` is what the letter says besides; None for `expires_at` where what the link opens has no end.
    """
    token = new_link_token()
    url = f"{page}#{token}"
    letter = Letter(
        letter_id=new_id("letter"),
        template=template,
        to=to,
        data={"url": url, **(more or {})},
        issued_at=issued_at,
        expires_at=expires_at,
    )
    return LinkLetter(letter_id=letter.letter_id, url=url, token_sha256=token_sha256(token), sealed=sealer.seal(letter))
