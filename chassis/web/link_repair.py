"""Links that were changed on their way: Safe Links writes `%23` for `#`, trackers and mail programs add to the end.

A one-time link is ADDRESS#TOKEN, the token being 43 letters (chassis.ids.new_link_token). Whatever stands around them
is not of our making: it is taken off, so that the link opens, and where the token is lost the page says whom to ask.
"""

import re
from typing import Final
from urllib.parse import quote, unquote

from flask import Flask, redirect, request
from werkzeug.wrappers import Response

# Of whatever else is as long, as a tracker's own token, the one that stands alone is ours. "=3D" is what is left of a
# mark in quoted-printable (RFC 2045 6.7).
_TOKEN: Final = (
    # As Markdown writes italic and bold words; not what Proofpoint leaves behind ("__;").
    re.compile(r"(?<![A-Za-z0-9_\-])(__?)([A-Za-z0-9_\-]{43})\1(?![A-Za-z0-9_\-;])"),
    re.compile(r"(?<![A-Za-z0-9_\-])(?:3D)?([A-Za-z0-9_\-]{43})(?![A-Za-z0-9_\-])"),
    re.compile(r"([A-Za-z0-9_\-]{43})"),
)
# Pages and files that one-time links lead to: nothing in their addresses is upper case.
_ONE_TIME: Final = (
    r"/(?:pay|sign|insurance|cvv|password|registration|invitation|itinerary|visit)(?![a-z0-9_\-])"
    r"(?:/[a-z0-9_\-/]*(?:\.(?:pdf|ics)\b)?)?"
)
# Other pages that e-mails and agents give the addresses of; whatever goes on as an address of ours is another page.
_ID: Final = "[a-z]{1,20}_[a-z2-7]{26}"
_GIVEN: Final = (
    rf"/(?:(?:payments|approvals|approvals/refunds|support|clients|quotes|signatures|bookings|trips)/{_ID}"
    rf"|trips/{_ID}/pay/{_ID}|a/[a-z0-9]++(?:-[a-z0-9]++)*+(?:/(?:register|embed|thanks))?"
    r"|payments|verify|sign-in|trips|documents)(?![a-z0-9_\-]|/[a-z0-9]|\.[a-z0-9])"
)
_LINK_PAGES: Final = re.compile(f"{_ONE_TIME}|{_GIVEN}")
# A calendar's address has its secret in its path, where capitals count.
_FEED: Final = re.compile("/calendar/feed/", re.IGNORECASE)
# All that our links have before their mark: whose look the page has, which part of a schedule is meant. What trackers
# add is not kept. "=3D" is a mark in quoted-printable.
_OWN_QUERY: Final = re.compile(r"(?:^|[?&;])(agency|due)=(?:3D)?([a-z0-9_]{1,80})")
# A whole address, encoded, that was taken for a path.
_SITE: Final = re.compile(r"^/*(?:https?|webcals?):/{1,2}[^/]*(?=/)", re.IGNORECASE)
_LONGEST: Final = 2_000
_ENCODED_MARK: Final = re.compile(r"%(?:25){0,3}(?:23|EF%(?:25){0,3}BC%(?:25){0,3}83)", re.IGNORECASE)
# A mark that HTML, quoted-printable or Proofpoint wrote in its own way, when a whole token stands behind it.
_WRITTEN_MARK: Final = re.compile(r"(?:&num;|[=*]23|\*)(?=[A-Za-z0-9_\-]{43}(?![A-Za-z0-9\-]))")
# A gateway may encode what another one encoded.
_MOST_DECODINGS: Final = 3
# Soft line ends of quoted-printable, line ends with what quotes the next line, blanks, where HTML may break a line or a
# word, and characters that draw nothing.
_BREAKS: Final = re.compile(
    r"=?[\r\n]+(?:[> ]{0,8}>)?|\s|</?w?br ?/?>|&(?:shy|ZeroWidthSpace);|[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]",
    re.IGNORECASE,
)
_SOFT_END: Final = re.compile(r"=\r?\n")
# Our own letters as HTML, quoted-printable and Markdown write them: &#95; and =5F and \_ for _.
_REFERENCE: Final = re.compile(r"&#(?:x([0-9a-f]{1,5})|([0-9]{1,6}));", re.IGNORECASE)
_QUOTED: Final = re.compile(r"=(2D|2E|2F|5F|0D|0A)", re.IGNORECASE)
# Hyphens that programs put in a hyphen's place.
_HYPHENS: Final = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-"))
# What a sentence, a bracket or an HTML entity leaves at the end of an address.
_QUOTED_END: Final = re.compile(r"(?:=(?:3D|20)?)+$", re.IGNORECASE)
_TRAILING: Final = "&.,;:!?>)]}*\"'<|\u2026\u201c\u201d\u2019\u00bb \u00a0\t\r\n"


def link_token(text: str) -> str:
    """The token in what a browser found behind `#`; the text itself, cut, where there is none."""
    # A soft line end may stand in the middle of an encoded letter.
    plain = _SOFT_END.sub("", text[:_LONGEST])
    for _ in range(_MOST_DECODINGS):
        plain = unquote(plain)
    plain = _BREAKS.sub("", _as_meant(plain))
    found = next(filter(None, (pattern.search(plain) for pattern in _TOKEN)), None)
    return found.groups()[-1] if found else text[:100]


def _as_meant(text: str) -> str:
    """Our own letters again for what HTML, quoted-printable, Markdown and typesetting made of them."""
    plain = _REFERENCE.sub(_referred, text.replace("\\", ""))
    return _QUOTED.sub(lambda found: chr(int(found[1], 16)), plain).translate(_HYPHENS)


def _referred(found: re.Match[str]) -> str:
    code = int(found[1], 16) if found[1] else int(found[2])
    return chr(code) if code <= 0x10FFFF else ""


def repaired(path: str) -> str | None:
    """Where an address with an encoded `#`, or something behind its end, should have led; None when it is sound."""
    head, mark, rest = _parted(path)
    # A query whose own mark was encoded, or that was added without one, and what nobody sees.
    bare, *queries = re.split(r"(?=[?&])", _SITE.sub("", head), maxsplit=1)
    sound = "/" + _QUOTED_END.sub("", _BREAKS.sub("", bare).strip(_TRAILING)).strip(_TRAILING).lstrip("/\\")
    if _FEED.match(sound):
        return _feed(sound, path)
    meant = _as_meant(sound)
    if found := _LINK_PAGES.match(meant.lower()):
        # A link's address ends where something stands that none of ours has: "=20", "__;Iw!!" of Proofpoint, a "。".
        sound = (found[0] if found[0] == meant.lower() else found[0].rstrip("_-")).rstrip("/")
        unchanged = sound == head
    else:
        unchanged = sound.rstrip("/") == head.rstrip("/")
    query = "".join(f"?{own}" for text in queries[:1] if (own := _own_query(text)))
    if mark:
        return f"{quote(sound)}{query}#{quote(link_token(rest))}"
    return None if unchanged else f"{quote(sound)}{query}"


def led_on(path: str, query: str) -> str | None:
    """As `repaired`, of an address whose `#` may have been encoded behind a query, a tracker's or its own."""
    target = repaired(path)
    page, mark, token = (target or quote(path)).partition("#")
    head, _, rest = _parted(query)
    own = _own_query(head)
    if not mark and _TOKEN[-1].fullmatch(found := link_token(rest)):
        mark, token = "#", found
    elif target is None and (not own or own in query or not _LINK_PAGES.match(path)):
        return None
    return f"{page}{f'?{own}' if own and '?' not in page else ''}{mark}{token}"


def _own_query(text: str) -> str:
    """ "agency=agency_1", of a query as it came; empty where it has nothing of ours."""
    found = _OWN_QUERY.search(_BREAKS.sub("", _as_meant(unquote(text[:_LONGEST]))))
    return f"{found[1]}={found[2]}" if found else ""


def _feed(sound: str, path: str) -> str | None:
    """A calendar's address as it was given, or with what is left of its secret, where it is said what to do; None where
    that is what was asked for."""
    token = link_token(sound)
    if not _TOKEN[-1].fullmatch(token):
        left = _FEED.sub("", sound).removesuffix(".ics")
        token = re.sub(r"[^A-Za-z0-9_\-]", "", left)[:42] or "-"
    right = f"/calendar/feed/{token}.ics"
    return right if right != path else None


def _parted(address: str) -> tuple[str, str, str]:
    """What stands before the mark, the mark, and what stands behind it, however it was encoded."""
    plain = address[:_LONGEST]
    for _ in range(_MOST_DECODINGS):
        if _ENCODED_MARK.search(plain):
            plain = unquote(plain)
    return _WRITTEN_MARK.sub("#", plain.replace("\uff03", "#"), count=1).partition("#")


def install_link_repair(app: Flask) -> None:
    """Leads a browser that looks at a mangled address on to the right one: the browser keeps or gets the fragment."""

    def repair() -> Response | None:
        if request.method not in ("GET", "HEAD"):
            return None
        target = led_on(request.path, request.query_string.decode("latin-1"))
        return None if target is None else redirect(target, 303)

    app.before_request(repair)
