"""Generated code is what protoc makes of the sources now: generation is a test."""

import filecmp
from pathlib import Path

from deploy.dev import protos


def test_the_committed_modules_are_what_the_protos_generate(tmp_path: Path) -> None:
    protos.generate(tmp_path)
    made = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    committed = {path.relative_to(protos.ROOT) for path in (protos.ROOT / "protos").rglob("*_pb2*.py*")}
    committed = {path for path in committed if "__pycache__" not in path.parts}
    assert made == committed, (
        "run `make protos` and commit what it writes; of a .proto that is gone, take the modules out"
    )
    differing = [str(path) for path in made if not filecmp.cmp(tmp_path / path, protos.ROOT / path, shallow=False)]
    assert differing == [], "run `make protos` and commit what it writes"
