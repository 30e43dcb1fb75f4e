"""What the documents say of tests is true, and every promised row has its line."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("[A-Z]*.md")])
_FOLDERS = "unit|architecture|contract|integration|compose|upgrade|e2e|chaos|bench"
_REFERENCE = re.compile(rf"`((?:{_FOLDERS})/[\w/]+\.py)(?:::(\w+))?`")
# The rows that stand in the product for what is built.
_MAIN_JOB = [f"M{number}" for number in range(1, 14)]


def _references(document: Path) -> list[tuple[str, str]]:
    return _REFERENCE.findall(document.read_text("utf-8"))


def _tests_of(file: Path) -> set[str]:
    tree = ast.parse(file.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_a_document_names_exists(document: Path) -> None:
    missing = []
    for file, name in _references(document):
        path = ROOT / "tests" / file
        if not path.is_file() or (name and name not in _tests_of(path)):
            missing.append(f"{file}::{name}" if name else file)
    assert missing == []


def test_every_row_of_the_main_job_names_a_test() -> None:
    product = (ROOT / "docs" / "product.md").read_text("utf-8")
    for row in _MAIN_JOB:
        (line,) = [line for line in product.splitlines() if line.startswith(f"| {row} |")]
        assert _REFERENCE.search(line), f"{row} names no test"


def test_every_security_statement_names_a_test() -> None:
    lines = (ROOT / "docs" / "security.md").read_text("utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.startswith("| statement")]
    assert len(rows) > 20
    for line in rows:
        assert _REFERENCE.search(line), f"no proof is named for: {line[:80]}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_links_to_exists(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text("utf-8")):
        if "://" not in target and not target.startswith("artifacts/"):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_code_and_documents_name_no_document_that_is_not_here() -> None:
    """Such as a design that only its author has. Names in capitals are those that repositories use for documents."""
    named = re.compile(r"\b(?:[\w-]+/)*[A-Z][A-Z_]{3,}\.md\b")
    missing = [
        f"{file.relative_to(ROOT)} names {name}"
        for folder in ("chassis", "deploy", "services", "tests", "docs")
        for file in sorted((ROOT / folder).rglob("*"))
        if file.suffix in {".py", ".md", ".js", ".html", ".css"} and "vendor" not in file.parts
        for name in named.findall(file.read_text("utf-8"))
        if not (ROOT / name).exists() and not (file.parent / name).exists()
    ]
    assert missing == []
