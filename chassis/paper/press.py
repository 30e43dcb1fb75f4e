"""Makes PDFs by typst compilers, one per set of faces, which are kept: reading faces takes longer than ten sheets.

The same sheet gives the same bytes, whenever and wherever it is set by the same version of typst and of the template:
there is no clock and no randomness but what the sheet says. Every PDF is tagged (PDF/UA-1) and for keeping (PDF/A-2a).
"""

import json
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import typst

_TEMPLATE = Path(__file__).parent / "templates" / "sheet.typ"
_lock = threading.Lock()


def pdf(sheet: Mapping[str, object], *, timestamp: int, folders: tuple[str, ...]) -> bytes:
    """The sheet as PDF bytes; `timestamp` is its moment in Unix seconds, `folders` hold its faces.

    A typst.TypstError is a fault of ours."""
    with _lock:
        made = _compiler(folders).compile(
            format="pdf",
            sys_inputs={"sheet": json.dumps(sheet, ensure_ascii=False, sort_keys=True)},
            pdf_standards=["a-2a", "ua-1"],
            timestamp=timestamp,
        )
    assert isinstance(made, bytes), "one document, no output file: its bytes"
    return made


@cache
def _compiler(folders: tuple[str, ...]) -> typst.Compiler:
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=list(folders))
    return typst.Compiler(str(_TEMPLATE), root=str(_TEMPLATE.parent), font_paths=fonts, ignore_system_fonts=True)
