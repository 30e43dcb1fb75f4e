"""Who knows one service finds their way in all four: the same file for the same work, composed the same way."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, SERVICES

_EVERY = ("README.md", "__main__.py", "config.py", "bootstrap.py", "parts.py", "worker.py", "health.py", "orm.py")
# The vault's site is the secure frame, a room of its own that knows nothing of the vault's parts.
_SITES = {
    "crm": "services/crm/app.py",
    "portal": "services/portal/app.py",
    "notifier": "services/notifier/app.py",
    "vault": "services/vault/frame/app.py",
}
_LONGEST = 400
_ON_THE_BUS = ("crm", "portal", "notifier")
# What may stand in an application's extensions beside the typed holder (chassis/web/parts.py): which panels fill which
# place, by name, and the readiness that the server asks for.
_OTHER_EXTENSIONS = {"_PLACES", "READINESS"}


def _functions(path: Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)}


def _classes(path: Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.ClassDef)}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_furniture(service: str) -> None:
    folder = ROOT / "services" / service
    assert [name for name in (*_EVERY, "models.py", "migrations/versions") if not (folder / name).exists()] == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_composed_by_bootstrap_into_dependencies(service: str) -> None:
    folder = ROOT / "services" / service
    assert "bootstrap" in _functions(folder / "bootstrap.py")
    assert "Dependencies" in _classes(folder / "parts.py")
    assert {"run", "timers"} <= _functions(folder / "worker.py")


@pytest.mark.parametrize("service", _ON_THE_BUS)
def test_every_service_on_the_bus_reacts_in_an_order_that_its_worker_says(service: str) -> None:
    assert {"event_handlers", "bind_queue"} <= _functions(ROOT / "services" / service / "worker.py")


@pytest.mark.parametrize("service", SERVICES)
def test_every_site_is_made_by_create_app(service: str) -> None:
    assert "create_app" in _functions(ROOT / _SITES[service])


def test_pages_find_what_they_use_by_the_typed_holder() -> None:
    looking_up = re.compile(r"\bextensions(?:\[|\.(?:get|setdefault)\()(\w+)?")
    wrong = [
        f"{path.relative_to(ROOT)}: {found}"
        for path in sorted((ROOT / "services").rglob("*.py"))
        for found in looking_up.findall(path.read_text("utf-8"))
        if found not in _OTHER_EXTENSIONS
    ]
    assert wrong == []


@pytest.mark.parametrize("site", ["crm", "portal", "notifier"])
def test_a_blueprint_stands_at_the_top_of_its_views(site: str) -> None:
    """Nobody has to find the class or function in which a page's address is given."""
    wrong = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "services" / site).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "Blueprint"
    ]
    assert wrong == []


def test_a_module_is_short_enough_to_be_read_at_a_sitting() -> None:
    """Under 400 lines, generated code and revisions aside; what grows beyond is two things, and gets two names."""
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines())
        for folder in ("services", "chassis", "deploy")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "_pb2" not in path.name and "versions" not in path.parts
    }
    long = {name: lines for name, lines in lengths.items() if lines >= _LONGEST}
    assert long == {}
