"""What is found inside a file: its text, files in it, and why it can't be shared."""

import zipfile
import zlib
from dataclasses import dataclass, field
from typing import Final

# What Python's zipfile raises on a damaged archive, besides its own: ValueError for places before the file's beginning.
UNREADABLE_ZIP: Final = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
)


@dataclass(slots=True, kw_only=True)
class Inside:
    """`problem` is for the person: why the file can't be looked into or must not be shared; empty when it may."""

    texts: list[str] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)
    problem: str = ""

    def refuse(self, problem: str) -> None:
        """Keeps the first reason."""
        self.problem = self.problem or problem


LOCKED = "This file is protected by a password, so it can't be looked into. Save it without one, then upload it."
DAMAGED = "This file can't be read to its end. Open it, save it anew or print it to PDF, then upload that."
PROGRAM = "This file holds a program (a script or macro). Print it to PDF, or save it without, then upload that."
EMBEDDED = "Another file is built into this one and can't be looked into. Take it out, or print the file to PDF."
OUTSIDE = "This file fetches a part of itself from elsewhere when it is opened. Print it to PDF, then upload that."
ARCHIVE = "There is an archive hidden in this file. Print it to PDF, or save it anew, then upload that."
TOO_MUCH = "This file unpacks to more than can be looked through. Split it, or make it smaller, then upload it."
