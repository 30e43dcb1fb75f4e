"""Clients who submit at the same moment, each with their own link, page and sealed card."""

from collections import deque
from dataclasses import dataclass

from tests.support.people_by_http import Client, Link


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitCallers:
    """Makes callers; each takes every `callers`th of the links."""

    portal: str
    frame: str
    links: tuple[Link, ...]
    callers: int

    def __call__(self, number: int) -> "SubmitCaller":
        return SubmitCaller(self, self.links[number :: self.callers])


class SubmitCaller:
    """Its one job opens pages and seals cards beforehand, and then submits one after the other."""

    def __init__(self, common: SubmitCallers, links: tuple[Link, ...]) -> None:
        self._common = common
        self._links = deque(links)
        self._ready: deque[Client] = deque()

    def prepare(self, job: str, count: int) -> None:
        for _ in range(count):
            self._ready.append(Client(self._common.portal, self._common.frame, self._links.popleft()))

    def step(self, job: str) -> None:
        self._ready.popleft().submit()

    def close(self) -> None:
        self._ready.clear()
