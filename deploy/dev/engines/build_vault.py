"""Finds a Vault server program: `vault` or `bao` on PATH, else HashiCorp Vault built as a Go dependency, and kept.

    python -m deploy.dev.engines.build_vault        (prints the program's path)

The build takes 4 to 10 minutes once; the program (about 190 MB) stays in ${XDG_CACHE_HOME:-~/.cache}/wayvault, named
after the digest of main.go, go.mod and go.sum, and serves every checkout.

Exit status: 0 there is one; 1 there is none and none could be built; 2 wrong arguments.
"""

import argparse
import fcntl
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from chassis.progress import at_work
from deploy.dev.engines.host import EngineFault, find_program

SOURCE = Path(__file__).parent / "vault"
_NO_GO = (
    "There is neither `vault` nor `bao` on PATH, and no `go` to build HashiCorp Vault with. "
    "Install one of them: HashiCorp Vault (developer.hashicorp.com/vault/install), OpenBao, or Go 1.25 or newer."
)


def cache_directory() -> Path:
    """Where programs that were built are kept between runs and checkouts."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wayvault"


def cached_program() -> Path:
    """Where the program built from this very source is, or will be."""
    digest = hashlib.sha256()
    for name in ("main.go", "go.mod", "go.sum"):
        digest.update((SOURCE / name).read_bytes())
    return cache_directory() / f"vault-{digest.hexdigest()[:16]}" / "vault"


def can_be_had() -> bool:
    """Whether `find_or_build` has something to go on."""
    return bool(
        find_program("vault", "bao", "go", "/usr/local/go/bin/go") or os.access(cached_program(), os.X_OK),
    )


def find_or_build() -> str:
    """The path of a Vault server program; builds one when there is none. Raises EngineFault."""
    found = find_program("vault", "bao")
    if found:
        return found
    program = cached_program()
    if os.access(program, os.X_OK):
        return str(program)
    go = find_program("go", "/usr/local/go/bin/go")
    if go is None:
        raise EngineFault(_NO_GO)
    program.parent.mkdir(parents=True, exist_ok=True)
    with (program.parent / "lock").open("w") as lock:
        _take(lock.fileno())
        if not os.access(program, os.X_OK):
            _build(go, program)
    return str(program)


def _take(descriptor: int) -> None:
    """Waits for another process that builds the same program."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with at_work("waiting for another process that builds HashiCorp Vault"):
            fcntl.flock(descriptor, fcntl.LOCK_EX)


def _build(go: str, program: Path) -> None:
    log = program.parent / "build.log"
    fresh = program.with_name("vault.part")
    print(f"  building HashiCorp Vault once, 4 to 10 minutes; log: {log}", file=sys.stderr, flush=True)
    started = time.monotonic()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [go, "build", "-mod=readonly", "-tags", "minimal", "-trimpath", "-o", str(fresh), "."],
            cwd=SOURCE,
            env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": ""},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:
            with at_work("building HashiCorp Vault"):
                process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode != 0:
        tail = "\n  ".join(log.read_text("utf-8", errors="replace").splitlines()[-15:])
        raise EngineFault(f"HashiCorp Vault did not build. The end of {log}:\n  {tail}")
    fresh.chmod(0o755)
    fresh.replace(program)
    print(f"  built in {time.monotonic() - started:.0f} s: {program}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(
        prog="python -m deploy.dev.engines.build_vault",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args(arguments)
    try:
        print(find_or_build())
    except EngineFault as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
