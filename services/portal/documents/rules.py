"""What a document is to a client. Pure."""

_WORDS = {
    "application/pdf": "PDF",
    "image/jpeg": "Picture",
    "image/png": "Picture",
    "image/webp": "Picture",
    "text/plain": "Text",
    "text/csv": "Table",
    "text/calendar": "Calendar",
}


def type_words(content_type: str) -> str:
    """What kind of file it is, for people."""
    if content_type in _WORDS:
        return _WORDS[content_type]
    if "spreadsheet" in content_type or "excel" in content_type:
        return "Spreadsheet"
    if "presentation" in content_type or "powerpoint" in content_type:
        return "Presentation"
    return "Document"


def size_words(size: int) -> str:
    """ "12 KB", "1.4 MB": sizes as people read them (1 KB = 1,000 bytes)."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1000))} KB"
    return f"{size / 1_000_000:.1f} MB"
