"""What the secure pages load is built the same way anywhere, and what is served is compared with the committed list."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, abort

from chassis.web.assets import AssetError
from services.vault.frame import build, scripts
from services.vault.frame.app import served_files
from tests.support.web import serving

pytestmark = pytest.mark.enable_socket
Said = pytest.CaptureFixture[str]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where scripts are built to, instead of beside the code."""
    monkeypatch.setattr(build, "DIST", tmp_path / "dist")
    return tmp_path / "dist"


def test_building_again_gives_the_very_files_that_are_listed(elsewhere: Path, capsys: Said) -> None:
    assert build.main([]) == 0
    made = json.loads((elsewhere / "manifest.json").read_text("utf-8"))
    assert made == {name: sum_ for name, sum_ in scripts.listed().items() if name.endswith(".js")}
    assert "capture.js" in capsys.readouterr().out
    stamp = (elsewhere / "capture.js").stat().st_mtime_ns
    assert build.main([]) == 0
    assert (elsewhere / "capture.js").stat().st_mtime_ns == stamp, "nothing has changed, so nothing is built"


def test_a_build_that_fails_says_so(elsewhere: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise AssetError("esbuild is not installed")

    monkeypatch.setattr(build, "bundle", broken)
    assert build.main(["--force"]) == 1
    assert "frame: esbuild is not installed" in capsys.readouterr().err


class Site:
    """A frame host of which somebody may change a file on its way."""

    def __init__(self) -> None:
        self.changed: dict[str, bytes] = {}
        self.app = Flask("frame")
        self.app.add_url_rule("/asset/<name>", "asset", self._asset)

    def _asset(self, name: str) -> bytes:
        if name not in served_files():
            abort(404)
        return self.changed.get(name, served_files()[name].read_bytes())


@pytest.fixture
def site() -> Iterator[tuple[Site, str]]:
    made = Site()
    with serving(made.app) as port:
        yield made, f"http://127.0.0.1:{port}/"


def test_a_running_site_is_as_listed_until_somebody_changes_a_file(site: tuple[Site, str], capsys: Said) -> None:
    changed, url = site
    assert scripts.main(["compare", url]) == 0
    assert capsys.readouterr().out == "As listed.\n"
    changed.changed["capture.js"] = b"/* sends the card elsewhere */"
    assert scripts.main(["compare", url]) == 3
    said = capsys.readouterr().out
    assert "capture.js: differs from the list" in said
    assert "before anyone types a card" in said


def test_what_is_built_here_is_as_listed(capsys: Said) -> None:
    assert scripts.main(["check"]) == 0
    assert capsys.readouterr().out == "As listed.\n"


@pytest.mark.parametrize("url", ["ftp://frame.example", "http://127.0.0.1:9"])
def test_an_address_that_can_not_be_asked_is_said(url: str, capsys: Said) -> None:
    assert scripts.main(["compare", url]) == 1
    assert "The files can't be read" in capsys.readouterr().err


def test_the_list_is_written_anew_after_a_change(tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "LIST", tmp_path / "scripts.json")
    assert scripts.main(["update"]) == 0
    assert "Review the difference" in capsys.readouterr().out
    assert scripts.listed() == scripts.built()
    listed = scripts.listed()
    assert scripts.differences({**listed, "gone.js": "1"}, {**listed, "new.js": "2"}) == [
        "gone.js: is missing",
        "new.js: is not on the list",
    ]
