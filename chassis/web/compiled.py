"""Templates compiled once for all processes of a service, and kept over restarts."""

from contextlib import suppress
from pathlib import Path

from flask import Flask
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

_PRIVATE = 0o700


class _Kept(FileSystemBytecodeCache):
    """What can't be written is compiled again by the next process; nothing else depends on it."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def keep_compiled_templates(app: Flask, folder: Path) -> None:
    """Keeps compiled templates in `folder`, which is this service's alone: who can write there can run code.

    Compiling all templates of a service takes seconds. Does nothing where the folder can't be made.
    """
    if app.jinja_env.bytecode_cache is not None:
        return
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=_PRIVATE)
        folder.chmod(_PRIVATE)
        app.jinja_env.bytecode_cache = _Kept(str(folder))
