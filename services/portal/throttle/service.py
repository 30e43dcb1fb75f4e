"""Counts what an address does, and says when it is too much."""

import hashlib
from datetime import timedelta

from sqlalchemy import delete, select

from chassis.clock import Clock
from chassis.db import Database, insert_if_absent
from chassis.web.proxies import network_of
from services.portal.throttle.models import ThrottleRow

WINDOW = timedelta(hours=1)


class Throttle:
    """The throttle room."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def allows(self, what: str, address: str, *, most: int) -> bool:
        """Counts one more `what` by this IP address, of IPv6 its network; False once there were `most` in an hour."""
        now = self._clock.now()
        key = hashlib.sha256(f"{what}\0{network_of(address)}".encode("utf-8", "replace")).hexdigest()
        with self._database.transaction() as session:
            fresh = {"key_sha256": key, "began_at": now, "count": 0}
            insert_if_absent(session, ThrottleRow.__table__, fresh)  # type: ignore[arg-type]
            row = session.scalars(select(ThrottleRow).where(ThrottleRow.key_sha256 == key).with_for_update()).one()
            if now - row.began_at >= WINDOW:
                row.began_at, row.count = now, 0
            if row.count >= most:
                return False
            row.count += 1
            return True

    def allows_mail(self, what: str, visitor: str, to: str, *, most: int, mails: int) -> bool:
        """Counts one more `what` by this IP address, and one more mail of it: nobody's inbox is filled from here."""
        return self.allows(what, visitor, most=most) and self.allows(f"{what} mail", to.casefold(), most=mails)

    def sweep(self) -> None:
        """Forgets hours that are over."""
        with self._database.transaction() as session:
            session.execute(delete(ThrottleRow).where(ThrottleRow.began_at < self._clock.now() - WINDOW))
