"""The house's modules as their imports show them."""

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("vault", "crm", "portal", "notifier")
# What a pure module does without: everything that talks to the world.
FRAMEWORKS = frozenset(
    {"alembic", "flask", "flask_wtf", "grpc", "gunicorn", "hvac", "jinja2", "pika", "psycopg", "requests", "typst"}
    | {"smtplib", "socket", "sqlalchemy", "structlog", "subprocess", "threading", "urllib3", "werkzeug", "wtforms"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """`module` as written; `names` that are taken from it."""

    module: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One file: its dotted name and everything it imports, inside functions too."""

    name: str
    path: Path
    imports: tuple[Import, ...]

    @property
    def is_pure(self) -> bool:
        return not any(found.module.partition(".")[0] in FRAMEWORKS for found in self.imports)


def modules(*folders: str) -> Iterator[Module]:
    """Every Python file under the folders, but generated ones and migrations."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "_pb2" not in path.name and "versions" not in path.parts:
                yield read(path)


@cache
def read(path: Path) -> Module:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    return Module(name=name, path=path, imports=tuple(_imports(ast.parse(path.read_text("utf-8")))))


def _imports(tree: ast.AST) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(module=alias.name, names=()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield Import(module=node.module, names=tuple(alias.name for alias in node.names))


def rooms_of(service: str) -> frozenset[str]:
    """The feature rooms of a service, dotted below it: its packages, or what its streets hold ("paying.links")."""
    folder = ROOT / "services" / service
    found: set[str] = set()
    for path in _packages(folder):
        within = [inner.name for inner in _packages(path)]
        found.update(f"{path.name}.{name}" for name in within)
        if not within:
            found.add(path.name)
    return frozenset(found) - {"core", "migrations"}


def room_of(name: str, service: str, rooms: Collection[str]) -> str:
    """The room that a module stands in; empty for what stands beside the rooms, and for a room's own package."""
    within = name.removeprefix(f"services.{service}.")
    return next((room for room in rooms if within.startswith(f"{room}.")), "")


def _packages(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if (path / "__init__.py").exists()]


def imports_between(found: Iterable[Module], place: Callable[[str], str]) -> dict[str, set[str]]:
    """Who imports whom, by `place` (a module's room, or the module itself); what is empty there is left out."""
    known = {module.name: module for module in found}
    edges: dict[str, set[str]] = {}
    for module in known.values():
        for each in module.imports:
            for name in (each.module, *(f"{each.module}.{taken}" for taken in each.names)):
                ours, theirs = place(module.name), place(name) if name in known else ""
                if ours and theirs and ours != theirs:
                    edges.setdefault(ours, set()).add(theirs)
    return edges


def circles(edges: Mapping[str, Collection[str]]) -> list[list[str]]:
    """Every circle that some import can be followed around: strongly connected components of more than one."""
    reached = {start: _reach(edges, start) for start in edges}
    found = {
        frozenset(other for other in reached[start] if start in reached.get(other, ())) | {start}
        for start in edges
        if start in reached[start]
    }
    return sorted(sorted(circle) for circle in found)


def _reach(edges: Mapping[str, Collection[str]], start: str) -> set[str]:
    seen: set[str] = set()
    wanted = [start]
    while wanted:
        for each in edges.get(wanted.pop(), ()):
            if each not in seen:
                seen.add(each)
                wanted.append(each)
    return seen
