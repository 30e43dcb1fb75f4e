"""Files that only their owner may read, written in one step."""

import os
import secrets
import tarfile
from pathlib import Path

PRIVATE_DIR, PRIVATE_FILE, PUBLIC_FILE = 0o700, 0o600, 0o644


def private_directory(path: Path) -> Path:
    """Makes the directory if needed and keeps it to its owner (0700)."""
    path.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIR)
    path.chmod(PRIVATE_DIR)
    return path


def write_file(path: Path, content: bytes | str, *, mode: int = PRIVATE_FILE) -> None:
    """Replaces the file in one step, never readable by more than `mode` says, not even for a moment."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIR)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            os.fchmod(file.fileno(), mode)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Everything of an archive that we made ourselves, as plain data."""
    # Python has filters since 3.11.4, and Debian 12 has 3.11.2.
    archive.extraction_filter = getattr(tarfile, "data_filter", None)
    archive.extractall(folder)  # noqa: S202 - what is in it was packed and sealed by us
