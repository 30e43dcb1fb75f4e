"""Builds the secure frame's scripts: `python -m services.vault.frame.build`, after `python -m chassis.web.assets`."""

import argparse
import hashlib
import json
import shutil
import sys
from pathlib import Path

from chassis.web.assets import LOCK, AssetError, bundle, digest

_HERE = Path(__file__).parent
SOURCES = _HERE / "src"
DIST = _HERE / "static" / "dist"
ENTRIES = ("capture", "reveal", "cvv", "gateway")


def main(arguments: list[str] | None = None) -> int:
    """Builds what is out of date. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m services.vault.frame.build", description=__doc__)
    parser.add_argument("--force", action="store_true", help="build even when nothing changed")
    try:
        build(force=parser.parse_args(arguments).force)
    except AssetError as error:
        print(f"frame: {error}", file=sys.stderr)
        return 1
    return 0


def build(*, force: bool = False) -> None:
    """Bundles the scripts and lists each file's SHA-256 in manifest.json [PCI DSS 6.4.3]. Raises AssetError."""
    stamp = DIST / ".stamp"
    wanted = digest([LOCK, Path(__file__), *sorted(SOURCES.rglob("*.js"))])
    if not force and stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir(parents=True)
    bundle([SOURCES / f"{name}.js" for name in ENTRIES], DIST, "building the secure frame's scripts")
    hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(DIST.glob("*.js"))}
    (DIST / "manifest.json").write_text(json.dumps(hashes, indent=2) + "\n")
    stamp.write_text(wanted)
    print(f"frame: built the secure frame's scripts ({', '.join(hashes)})")


if __name__ == "__main__":
    sys.exit(main())
