"""Every command of deploy/ tells what it does, with its exit statuses, and can be asked what it would do."""

import importlib
import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
# For who works on the code: they change the checkout alone.
OF_DEVELOPERS = {
    "deploy.dev.protos",
    "deploy.dev.screens",
    "deploy.dev.tests",
    "deploy.dev.unused",
    "deploy.env_example",
}
# What changes nothing, or nothing by itself; the others can be asked with --check.
NO_CHECK = {
    "deploy.check_pages": "only looks",
    "deploy.phone.check": "only calls, and hangs up",
    "deploy.phone.demo_call": "only calls, and hangs up",
    "deploy.compose.setup": "deploy.compose runs it within a container, and has the check",
    "deploy.compose.grants": "deploy.compose runs it within a container, and has the check",
    "deploy.dev.engines.build_vault": "builds a program aside, once",
    "deploy.backup list": "its --check opens everything",
    "deploy.backup drill": "proves, and changes nothing",
    "deploy.pitr list": "only looks",
}
PARTS = {
    "deploy.backup": ("key", "run", "list", "restore", "drill"),
    "deploy.pitr": ("follow", "base", "list", "restore"),
}


def commands() -> list[str]:
    """Modules that are run by `python -m`, as they are named then."""
    found = []
    for path in sorted((ROOT / "deploy").rglob("*.py")):
        if 'if __name__ == "__main__":' in path.read_text("utf-8"):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found.append(module.removesuffix(".__main__"))
    return [module for module in found if module not in OF_DEVELOPERS]


def helped(module: str, *part: str) -> str:
    name = f"{module}.__main__" if (ROOT / module.replace(".", "/") / "__main__.py").exists() else module
    shown = io.StringIO()
    with redirect_stdout(shown), pytest.raises(SystemExit) as ended:
        importlib.import_module(name).main([*part, "--help"])
    assert ended.value.code == 0
    return shown.getvalue()


def test_the_lists_above_name_commands_that_there_are() -> None:
    known = {*commands(), *(f"{module} {part}" for module, parts in PARTS.items() for part in parts)}
    assert set(NO_CHECK) - known == set()
    assert len(commands()) > 15


@pytest.mark.parametrize("module", commands())
def test_help_says_what_a_command_does_and_how_it_ends(module: str) -> None:
    said = helped(module)
    assert re.search(r"\bexit status", said, re.IGNORECASE), "exit statuses, for scripts"
    assert len(said.splitlines()) > 5


@pytest.mark.parametrize("module", [module for module in commands() if module not in NO_CHECK])
def test_what_changes_something_can_be_asked_what_it_would_do(module: str) -> None:
    for part in PARTS.get(module, ()):
        if f"{module} {part}" not in NO_CHECK:
            assert "--check" in helped(module, part), part
    if module not in PARTS:
        assert "--check" in helped(module)
