"""The end of an agent's public page's address: "maya-okafor" of https://…/a/maya-okafor. Pure."""

import re
from typing import Final

from chassis.typed.names import fold
from chassis.typed.text import clean_line

SHORTEST: Final = 3
LONGEST: Final = 40
_LONGEST_MADE: Final = 60
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# Words with which a page would look like the house's own, or a bank's.
_HOUSES: Final = """
about account accounts admin administrator agency agent agents api bank billing card cards contact embed help home
info legal login logout mail official pay payment payments portal privacy register root secure security sign-in
sign-out signin signup staff status support system terms test verify visa mastercard wayvault webmaster www
"""
RESERVED: Final = frozenset(_HOUSES.split())


def slug_of(name: str) -> str:
    """ "maya-okafor" for "Maya Okafor"; "agent" for a name without letters or digits."""
    slug = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:_LONGEST_MADE].strip("-")
    return slug or "agent"


def read_page_name(typed: str) -> str:
    """A name as it was typed, or cut from a whole address that was pasted."""
    return clean_line(typed).rpartition("/a/")[2].strip("/ ").casefold()


def page_name_error(name: str) -> str | None:
    """What is wrong with a name that an agent chose, with what they could have meant; None when it is good."""
    if not _NAME.fullmatch(name):
        example = slug_of(name).lstrip("0123456789-")[:LONGEST].strip("-") or "maya-okafor"
        return f"Use the letters a to z, digits and single hyphens, and begin with a letter, such as “{example}”."
    if not SHORTEST <= len(name) <= LONGEST:
        return f"Use {SHORTEST} to {LONGEST} characters."
    if name in RESERVED:
        return "This word is kept for the site itself. Add your name or your town to it."
    return None
