"""The portal and the real secure frame, served on loopback: what a client's browser meets."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.sealing import OpeningKey, open_sealed
from services.portal.origin import Origin
from services.portal.payments.intake import StoredCard
from services.vault.frame.app import FrameSettings
from services.vault.frame.app import create_app as create_frame
from tests.support.portal import PortalWorld
from tests.support.web import serving


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class FrameKey:
    """A sealing key as the vault has one."""

    def __init__(self) -> None:
        self.key = OpeningKey.generate("sealing-key-1")

    def current_public_jwk(self) -> dict[str, str]:
        return self.key.public.public_jwk

    def open(self, sealed_card: str) -> dict[str, Any]:
        """What the frame sealed. Any: JSON values."""
        card: dict[str, Any] = json.loads(open_sealed(self.key, sealed_card, "wv-store+jwe"))
        return card


@dataclass(slots=True, kw_only=True)
class PortalSite:
    """A portal being served, and the frame beside it. `cards` are those the fake vault opened."""

    world: PortalWorld
    address: str
    cards: list[dict[str, Any]]


@contextmanager
def portal_site(folder: Path) -> Iterator[PortalSite]:
    """Serves both until the block ends."""
    portal_port, frame_port = free_port(), free_port()
    address, frame_origin = f"http://portal.localhost:{portal_port}", f"http://card.localhost:{frame_port}"
    world = PortalWorld(folder, public_url=address, frame_origin=frame_origin)
    key = FrameKey()
    site = PortalSite(world=world, address=address, cards=[])
    store = world.intake.store_card

    def opening_store(*, idempotency_key: str, intake_id: str, sealed_card: str, origin: Origin) -> StoredCard:
        stored = store(idempotency_key=idempotency_key, intake_id=intake_id, sealed_card=sealed_card, origin=origin)
        card = key.open(sealed_card)
        assert card["intake_id"] == intake_id
        site.cards.append(card)
        return stored

    world.intake.store_card = opening_store  # type: ignore[method-assign]
    frame = create_frame(FrameSettings(parents=[address]), key)
    with serving(world.wsgi, port=portal_port), serving(frame, port=frame_port):
        yield site
    world.close()
