"""Where a person goes next: only ever a page of this site."""


def local_path(target: str | None, *, default: str) -> str:
    """`target` when it is a path on this site, else `default` (open redirects, ASVS 5.0 3.7).

    Browsers read backslashes as slashes and skip control characters, so either makes a path suspect.
    """
    if not target or len(target) > 500 or not target.startswith("/") or target.startswith("//"):
        return default
    if "\\" in target or any(ord(char) <= 32 or ord(char) == 127 for char in target):
        return default
    return target
