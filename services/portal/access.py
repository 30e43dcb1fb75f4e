"""Which links the browser at hand has opened: a server-side session, started by a click with a good token."""

from chassis.web.sessions import ServerSessions

# A client who pays several shares may have several links open in one browser, and a visit has a dozen parts; more than
# this is no client.
_KEPT = 24


class LinkAccess:
    """Grants and checks access to links in the session of the current request."""

    def __init__(self, sessions: ServerSessions) -> None:
        self._sessions = sessions

    def grant(self, *link_ids: str) -> None:
        """Lets this browser work on the link, or on a visit and its parts, under a new session token."""
        current = self._sessions.current()
        earlier = [str(one) for one in current.data.get("links", [])] if current else []
        others = [one for one in earlier if one not in link_ids]
        self._sessions.start(link_ids[0], {"links": [*others, *link_ids][-_KEPT:]})

    def holds(self, link_id: str) -> bool:
        """Whether this browser may work on the link now."""
        current = self._sessions.current()
        return current is not None and link_id in current.data.get("links", [])

    @property
    def sessions(self) -> ServerSessions:
        """The sessions that it stands on."""
        return self._sessions

    def held_before(self, link_id: str) -> bool:
        """Whether this request came with a session that held the link and is over."""
        lost = self._sessions.lost()
        return lost is not None and link_id in lost.data.get("links", [])

    def timed_out(self) -> bool:
        """Whether a session came with this request that idled out."""
        return self._sessions.timed_out()
