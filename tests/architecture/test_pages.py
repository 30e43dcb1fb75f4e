"""Pages bear the names of their rooms, so that who reads a template finds the code, and the other way round."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, modules, room_of, rooms_of

_SITES = ("crm", "portal")
# A second blueprint of a room, whose pages have an address of their own.
_SECOND = {"link_overview": "paying.links", "refund_approvals": "paying.charging", "household": "sales.clients"}
# Templates of chassis/web, and of the site itself.
_OF_ALL = {"ui", "layout", "crm", "portal"}
_NAMED = re.compile(r"""(?:url_for|endpoint\s*=)\s*\(?\s*["']([a-z_]+)\.[a-z_]+["']""")
_SHOWN = re.compile(r"""(?:render_template\(|include|extends|import|template\s*=)\s*["']([a-z_]+)/[a-z_/]+\.html["']""")


def _blueprints(service: str) -> Iterator[tuple[str, str]]:
    """Each blueprint's name and the room that makes it."""
    rooms = rooms_of(service)
    for module in modules(f"services/{service}"):
        for node in ast.walk(ast.parse(module.path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Blueprint":
                name = node.args[0]
                if isinstance(name, ast.Constant):
                    yield str(name.value), room_of(module.name, service, rooms)


@pytest.mark.parametrize("service", _SITES)
def test_a_blueprint_is_called_like_its_room(service: str) -> None:
    wrong = {
        name: room
        for name, room in _blueprints(service)
        if room and name != room.rpartition(".")[2] and _SECOND.get(name) != room
    }
    assert wrong == {}


@pytest.mark.parametrize("service", _SITES)
def test_links_and_templates_name_a_room_that_is_there(service: str) -> None:
    """A renamed room leaves no link behind that breaks only when its page is shown."""
    folder = ROOT / "services" / service
    known = {name for name, _ in _blueprints(service)} | {room.rpartition(".")[2] for room in rooms_of(service)}
    wrong = [
        f"{path.relative_to(ROOT)}: {found}"
        for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.html")])
        for found in _names(path)
        if found not in known | _OF_ALL
    ]
    assert wrong == []


def _names(path: Path) -> set[str]:
    text = path.read_text("utf-8")
    return {*_NAMED.findall(text), *_SHOWN.findall(text)}


@pytest.mark.parametrize("service", _SITES)
def test_every_page_that_takes_a_file_says_itself_why_its_name_is_refused(service: str) -> None:
    """A card number in a file's name is said beside the field, where nothing else that was typed is lost."""
    folder = ROOT / "services" / service
    rooms = {path.parent for path in folder.rglob("*.py") if "FileField(" in path.read_text("utf-8")}
    assert rooms
    unmarked = [room.name for room in rooms if "@says_of_file_names" not in (room / "views.py").read_text("utf-8")]
    assert unmarked == []


def test_no_script_needs_has() -> None:
    """A browser without :has throws at it, and then nothing of the script works; styles there are passed over."""
    needs = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("services", "chassis")
        for path in sorted((ROOT / folder).rglob("*.js"))
        if "vendor" not in path.parts
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if ":has(" in line and "CSS.supports(" not in line
    ]
    assert needs == []
