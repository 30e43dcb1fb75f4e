"""Files for download. Whatever is in them, no browser runs it in a page of ours (docs/security.md, uploads)."""

import re
import unicodedata
from urllib.parse import quote

from flask import Response

from chassis.typed.text import encoding_by_mark


def download(content: bytes, *, content_type: str, name: str) -> Response:
    """Sent as attachment, its type not to be guessed, and without a right to run anything should it be opened all the
    same. `name` may be in any script (RFC 6266, 4.3: `filename*` for those who understand it)."""
    if _is_text(content_type):
        content_type = f"{content_type}; charset={encoding_by_mark(content).removesuffix('-sig')}"
    response = Response(content, content_type=content_type)
    response.headers["Content-Disposition"] = _disposition(name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    return response


def file_name(title: str) -> str:
    """A name for a download that every system takes, made of a title; "trip" where none of it is left."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "trip"


def _is_text(content_type: str) -> bool:
    return content_type.startswith("text/") and "charset" not in content_type


def _disposition(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = "".join(char if char.isalnum() or char in " ._-()" else "_" for char in folded).strip() or "download"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
