"""Generates the Python code beside each .proto: `make protos`. A test generates it elsewhere and compares.

    python -m deploy.dev.protos [--out DIR]

The proto path is the Python path, so nothing that is generated needs rewriting.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Only these define services; the others get no grpc modules.
WITH_SERVICES = frozenset(
    {
        "protos/wayvault/vault/v1/vault.proto",
        "protos/wayvault/vault/v1/charging.proto",
        "protos/wayvault/phone/v1/phone.proto",
    }
)


def sources(root: Path = ROOT) -> list[str]:
    """Every .proto, as a path from the checkout's root."""
    return sorted(str(path.relative_to(root)) for path in (root / "protos").rglob("*.proto"))


def generate(out: Path, root: Path = ROOT) -> None:
    """Writes the generated modules under `out`. Raises subprocess.CalledProcessError with protoc's words."""
    protos = sources(root)
    _protoc(root, ["--python_out", "--mypy_out"], out, protos)
    _protoc(root, ["--grpc_python_out", "--mypy_grpc_out"], out, [name for name in protos if name in WITH_SERVICES])


def _protoc(root: Path, outputs: list[str], out: Path, protos: list[str]) -> None:
    arguments = [sys.executable, "-m", "grpc_tools.protoc", "-I", ".", *(f"{option}={out}" for option in outputs)]
    # The generators of type stubs are programs of the same environment.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    subprocess.run([*arguments, *protos], cwd=root, check=True, env={**os.environ, "PATH": path})


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.dev.protos", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT, help="where to write (default: beside the sources)")
    try:
        generate(parser.parse_args(arguments).out.resolve())
    except subprocess.CalledProcessError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
