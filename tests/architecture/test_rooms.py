"""The rules of the house that import-linter's contracts (pyproject.toml) can't say."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from tests.architecture.source import (
    ROOT,
    SERVICES,
    Import,
    Module,
    circles,
    imports_between,
    modules,
    read,
    room_of,
    rooms_of,
)

# Where a card number or CVV may exist in the clear.
_CARD_ROOMS = (
    "services.vault.charging",
    "services.vault.intake",
    "services.vault.reveal",
    "services.vault.transit",
)
# Whose rows other rooms use, and why (docs/design.md, "The CRM's streets"): reports read everything in few queries;
# those of clients that two profiles become one in are moved in one transaction; tasks are listed with their clients'
# names, by one query; imports write thousands of clients at once.
_ROWS_SHARED = {
    "paying.payments": {"office.reports"},
    "sales.clients": {"office.reports", "sales.importing", "sales.merging", "sales.tasks"},
    "trips.bookings": {"office.reports"},
}
# What a room publishes: use cases with their values, places and pages that other rooms build on.
_PUBLISHED = (".service", ".pages", ".panels")
_CARD_TYPES = "services.vault.card_data"


def test_the_import_contracts_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_rules_import_only_the_standard_library_chassis_values_and_other_rules() -> None:
    wrong = [
        f"{module.name} imports {found.module}"
        for module in modules("services")
        if module.path.name == "rules.py"
        for found in module.imports
        if not _may_stand_in_rules(found.module)
    ]
    assert wrong == []


def _may_stand_in_rules(name: str) -> bool:
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names:
        return top not in {"socket", "sqlite3", "smtplib", "subprocess", "threading", "urllib"}
    if top == "chassis":
        return name.startswith("chassis.typed.") or name in {
            "chassis.backoff",
            "chassis.cards",
            "chassis.clock",
            "chassis.errors",
            "chassis.ids",
            "chassis.itinerary",
            "chassis.former_days",
            "chassis.moments",
            "chassis.money",
            "chassis.pictures",
            "chassis.paper.letterhead",
            "chassis.reminder_words",
            "chassis.tags",
            "chassis.web.colour",
        }
    return top == "services" and _is_a_value_module(name)


def _is_a_value_module(name: str) -> bool:
    """Whether a module holds values and decisions only. A room's service.py passes its rules' values on."""
    path = ROOT / Path(*name.split(".")).with_suffix(".py")
    return name.endswith(_PUBLISHED) or (path.exists() and read(path).is_pure)


def test_a_feature_uses_another_only_through_its_service_or_what_is_pure() -> None:
    wrong = [
        f"{module.name} imports {found}"
        for service in SERVICES
        for module in modules(f"services/{service}")
        for found in _of_other_rooms(module, service)
        if not _is_a_value_module(found) and not _is_declared_reader(module, found, service)
    ]
    assert wrong == []


def _is_declared_reader(module: Module, found: str, service: str) -> bool:
    """Who reads another room's rows by declaration takes them from where they are, and no room hands them on."""
    rooms = rooms_of(service)
    readers = _ROWS_SHARED.get(room_of(found, service, rooms), set())
    return found.endswith(".models") and room_of(module.name, service, rooms) in readers


def _of_other_rooms(module: Module, service: str) -> list[str]:
    rooms = rooms_of(service)
    own = room_of(module.name, service, rooms)
    if not own:
        return []  # the composition root and what stands beside it join the rooms
    return [
        imported.module
        for imported in module.imports
        if imported.module.startswith(f"services.{service}.")
        and room_of(imported.module, service, rooms) not in {"", own}
    ]


def test_rooms_use_each_other_by_values_and_not_by_rows() -> None:
    """But for those that are declared above, with the reason."""
    using: dict[str, set[str]] = {}
    for service in SERVICES:
        rooms = rooms_of(service)
        for module in modules(f"services/{service}"):
            own = room_of(module.name, service, rooms)
            for found in module.imports:
                other = room_of(found.module, service, rooms)
                if own and other not in {"", own} and any(name.endswith("Row") for name in _rows(service, found)):
                    using.setdefault(other, set()).add(own)
    assert using == _ROWS_SHARED


def _rows(service: str, found: Import) -> Iterator[str]:
    """The names taken that are rows of some models.py, and not values that are called so."""
    return (name for name in found.names if name in _declared_rows(service))


@cache
def _declared_rows(service: str) -> frozenset[str]:
    return frozenset(
        node.name
        for path in (ROOT / "services" / service).rglob("models.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    )


@pytest.mark.parametrize("service", SERVICES)
def test_no_room_reaches_itself_by_way_of_others(service: str) -> None:
    rooms = rooms_of(service)
    edges = imports_between(modules(f"services/{service}"), lambda name: room_of(name, service, rooms))
    assert circles(edges) == []


@pytest.mark.parametrize("folder", [*(f"services/{service}" for service in SERVICES), "services/crm_demo", "chassis"])
def test_no_module_reaches_itself_by_way_of_others(folder: str) -> None:
    inits = {module.name for module in modules(folder) if module.path.name == "__init__.py"}
    edges = imports_between(modules(folder), lambda name: "" if name in inits else name)
    assert circles(edges) == []


def test_a_circle_is_found_whatever_its_length() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": {"b"}, "e": {"a"}}) == [["b", "c", "d"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}}) == []


def test_the_chassis_names_no_service() -> None:
    """By import or in a text that is imported or read later."""
    named = re.compile(rf"\bservices[./](?:{'|'.join(SERVICES)})\b")
    naming = [path for path in sorted((ROOT / "chassis").rglob("*.py")) if named.search(path.read_text("utf-8"))]
    assert naming == []


def test_card_types_are_imported_only_where_a_card_may_be_in_the_clear() -> None:
    importing = {
        module.name
        for module in modules("services", "chassis", "deploy")
        for found in module.imports
        if found.module == _CARD_TYPES or (found.module == "services.vault" and "card_data" in found.names)
    }
    assert [name for name in sorted(importing) if not name.startswith(_CARD_ROOMS)] == []


def test_only_the_bus_speaks_to_the_broker_and_only_the_transit_room_to_vault() -> None:
    homes = {"pika": "chassis.bus", "hvac": "services.vault.transit", "grpc_health": "chassis.rpc"}
    wrong = [
        f"{module.name} imports {found.module}"
        for module in modules("services", "chassis")
        for found in module.imports
        for library, home in homes.items()
        if found.module.partition(".")[0] == library and not module.name.startswith(home)
    ]
    assert wrong == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_room_with_rules_or_rows_has_a_service(service: str) -> None:
    folder = ROOT / "services" / service
    bare = [
        room
        for room in sorted(rooms_of(service))
        if (folder / Path(*room.split(".")) / "models.py").exists()
        and not list((folder / Path(*room.split("."))).glob("service*.py"))
    ]
    assert bare == []


@pytest.mark.parametrize("extra", SERVICES)
def test_each_service_has_locked_requirements_with_hashes_and_no_addresses(extra: str) -> None:
    text = (ROOT / "requirements" / f"{extra}.txt").read_text("utf-8")
    pinned = [line for line in text.splitlines() if "==" in line and not line.lstrip().startswith("#")]
    assert len(pinned) > 20
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text


@pytest.mark.parametrize("service", SERVICES)
def test_revisions_of_a_service_stand_in_one_line(service: str) -> None:
    versions = ROOT / "services" / service / "migrations" / "versions"
    scripts = ScriptDirectory(str(ROOT / "chassis" / "db" / "alembic"), version_locations=[str(versions)])
    assert len(scripts.get_heads()) == 1
