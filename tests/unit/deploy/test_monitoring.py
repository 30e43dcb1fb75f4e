"""Alerts, dashboard and runbook speak of what is there: metrics that are exported, commands that exist."""

import contextlib
import importlib
import io
import json
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "deploy" / "monitoring" / "rules.yaml"
DASHBOARD = ROOT / "deploy" / "monitoring" / "dashboard.json"
RUNBOOK = (ROOT / "deploy/RUNBOOK.md").read_text("utf-8")
# Everything that makes metrics, each as its process imports it.
PROGRAMS = (
    "services.vault.__main__",
    "services.vault.charging.program",
    "services.vault.phone.program",
    "services.crm.worker",
    "services.portal.__main__",
    "services.notifier.__main__",
    "chassis.web.requests",
)
BAD_DAYS = (
    "Vault sealed",
    "Leader lost",
    "Broker full",
    "Disk full",
    "CertificateExpired",
    "Clock off",
    "Mail refused",
    "Mailbox of an agent taken over",
    "Operator's laptop lost",
    "PAN found where none may be",
    "Agency leaves",
    "Restore",
)
# Labels that Prometheus itself adds.
_ADDED = {"job", "instance", "le"}


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return [rule["expr"] for rule in alerts()] + [
        target["expr"] for panel in panels for target in panel["targets"] if target["expr"]
    ]


@cache
def exported() -> dict[str, frozenset[str]]:
    """What the programs export: each series' name, and its labels."""
    for program in PROGRAMS:
        importlib.import_module(program)
    found: dict[str, frozenset[str]] = {}
    for family in REGISTRY.collect():
        labels = frozenset(getattr(REGISTRY._names_to_collectors[family.name], "_labelnames", ()))
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(family.type, ("",))
        found |= {family.name + ending: labels for ending in endings}
    return found


@pytest.mark.parametrize("expression", expressions())
def test_every_series_and_label_of_an_alert_or_panel_is_exported(expression: str) -> None:
    names = set(re.findall(r"\bwayvault_\w+", expression))
    assert names or expression.startswith("up{")
    assert names <= exported().keys()
    used = {label for group in re.findall(r"by \(([^)]*)\)", expression) for label in re.split(r",\s*", group)}
    used |= {label for group in re.findall(r"\{([^}]*)\}", expression) for label in re.findall(r"(\w+)\s*[=!]", group)}
    known = frozenset().union(*(exported()[name] for name in names))
    assert used <= known | _ADDED


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", RUNBOOK, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: str(alert["alert"]))
def test_every_alert_has_its_heading_with_commands(alert: dict[str, Any]) -> None:
    assert "```sh" in sections()[alert["alert"]]
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert alert["annotations"]["runbook_url"] == "deploy/RUNBOOK.md#" + alert["alert"].lower()
    assert alert["annotations"]["summary"]


@pytest.mark.parametrize("day", BAD_DAYS)
def test_every_bad_day_has_its_heading(day: str) -> None:
    assert len(sections()[day].strip()) > 20


def test_no_heading_speaks_of_an_alert_that_is_gone() -> None:
    named = RUNBOOK.split("# Bad days")[0]
    assert re.findall(r"^## (.+)$", named, flags=re.MULTILINE) == [alert["alert"] for alert in alerts()]


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", RUNBOOK, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.strip()]
    inline = [text.replace("\n", " ") for text in re.findall(r"`((?:python -m|make) [^`]+)`", RUNBOOK)]
    return sorted({*lines, *inline})


@pytest.mark.parametrize("command", commands())
def test_every_command_of_the_runbook_exists_with_its_arguments(command: str) -> None:
    words = shlex.split(command)
    match words:
        case ["make", target, *_]:
            assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)
        case ["python", "-m", module, *arguments]:
            demand_program(module, arguments)
        case _:
            assert words[0] in ("apt-get", "df", "date", "patronictl", "vault")


def demand_program(module: str, arguments: list[str]) -> None:
    """Argparse reads what stands before the first option, choices included, before it shows the help."""
    with contextlib.suppress(ModuleNotFoundError):
        module = importlib.import_module(f"{module}.__main__").__name__
    first = next((place for place, word in enumerate(arguments) if word.startswith("--")), len(arguments))
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), pytest.raises(SystemExit) as ended:
        importlib.import_module(module).main([*arguments[:first], "--help"])
    assert ended.value.code == 0
    options = {word.partition("=")[0] for word in arguments if word.startswith("--")}
    assert options <= set(re.findall(r"--[\w-]+", shown.getvalue()))
