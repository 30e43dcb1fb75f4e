"""The port by which rooms seal letters for the notifier."""

from typing import Protocol

from chassis.sealing import Letter


class Letters(Protocol):
    def seal(self, letter: Letter) -> str:
        """The letter as only the notifier can read it."""
        ...
