"""Reads the guides that lie in guides/ and finds them."""

import tomllib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from chassis.errors import NotFound
from services.crm.core.actor import Actor
from services.crm.office.training.rules import Guide, Step, excerpt, search

__all__ = ["PICTURES", "TOPICS", "Guide", "Guides", "Step"]

_FOLDER: Final = Path(__file__).parent / "guides"
PICTURES: Final = Path(__file__).parent / "static"
# In the order in which they are taught.
TOPICS: Final = ("Payments", "Clients and trips", "Documents and reminders", "Your desk", "For admins")


class GuideBroken(ValueError):
    """A guide's file is not one. Its text names the file."""


class Guides:
    """All guides. An agent reads the agents', an admin all."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        self._guides = read_guides(folder)

    def all(self) -> tuple[Guide, ...]:
        """Every guide, in the order in which they are taught."""
        return self._guides

    def find(self, actor: Actor, text: str) -> list[tuple[Guide, str]]:
        """The guides that answer to `text`, best first, each with the sentence that does."""
        return [(guide, excerpt(guide, text)) for guide in search(self._for(actor), text)]

    def get(self, actor: Actor, slug: str) -> Guide:
        """Raises NotFound."""
        for guide in self._for(actor):
            if guide.slug == slug:
                return guide
        raise NotFound("There is no such guide.")

    def related(self, actor: Actor, guide: Guide) -> list[Guide]:
        """What to read next."""
        return [one for one in self._for(actor) if one.slug in guide.related]

    def _for(self, actor: Actor) -> Sequence[Guide]:
        return [guide for guide in self._guides if actor.is_admin or not guide.admin]


@lru_cache(maxsize=4)
def read_guides(folder: Path) -> tuple[Guide, ...]:
    """Every guide of a folder, by topic and then by file name. Raises GuideBroken."""
    guides = [_read(path) for path in sorted(folder.glob("*.toml"))]
    return tuple(sorted(guides, key=lambda guide: TOPICS.index(guide.topic)))


def _read(path: Path) -> Guide:
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        guide = _guide(path.stem.partition("-")[2], content)
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise GuideBroken(f"{path.name}: {error}") from error
    if guide.topic not in TOPICS or not guide.slug:
        raise GuideBroken(f"{path.name}: its topic is not known, or its name is not NUMBER-SLUG.toml")
    return guide


def _guide(slug: str, content: dict[str, Any]) -> Guide:  # Any: TOML values
    return Guide(
        slug=slug,
        title=content["title"],
        topic=content["topic"],
        summary=content["summary"],
        keywords=tuple(content.get("keywords", ())),
        steps=tuple(Step(**step) for step in content["steps"]),
        notes=tuple((note["question"], note["answer"]) for note in content.get("notes", ())),
        related=tuple(content.get("related", ())),
        begins_at=content.get("begins_at", ""),
        admin=content.get("admin", False),
    )
