"""Browsers keep what an address with its hash gives, and never something stale."""

import json
import re
from pathlib import Path

import pytest
from flask import Blueprint, Flask, url_for
from flask.testing import FlaskClient

from chassis.web.static_files import imports_of, version_of
from tests.support.gallery import GallerySettings, make_gallery

_FOR_GOOD = "public, max-age=31536000, immutable"


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    made = make_gallery(GallerySettings())
    (tmp_path / "room.js").write_text('import { element } from "/static/chassis/ui.js";\nimport "./part.js";\n')
    (tmp_path / "part.js").write_text("export const part = 1;\n")
    made.register_blueprint(
        Blueprint("room", __name__, static_folder=str(tmp_path), static_url_path="/static/room", url_prefix="/of")
    )
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def _kept(client: FlaskClient, address: str, **headers: str) -> str:
    with client.get(address, headers=headers) as answer:
        assert answer.status_code in (200, 304), address
        assert "Set-Cookie" not in answer.headers
        return answer.headers["Cache-Control"]


def test_whatever_a_page_loads_is_kept_for_good(client: FlaskClient) -> None:
    page = client.get("/desk").text
    loaded = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(loaded) > 8
    assert {_kept(client, address) for address in loaded} == {_FOR_GOOD}


def test_so_are_the_fonts_of_its_style_sheet(client: FlaskClient) -> None:
    with client.get("/static/chassis/vendor/inter/inter.css") as answer:
        fonts = re.findall(r"url\(\./([^)]+)\)", answer.get_data(as_text=True))
    assert fonts
    assert {_kept(client, f"/static/chassis/vendor/inter/{name}") for name in fonts} == {_FOR_GOOD}


def test_what_was_kept_and_is_asked_for_again_stays_so(client: FlaskClient) -> None:
    address = re.findall(r'src="(/static/chassis/early.js[^"]+)"', client.get("/desk").text)[0]
    with client.get(address) as answer:
        tag = answer.headers["ETag"]
    assert _kept(client, address, **{"If-None-Match": tag}) == _FOR_GOOD


@pytest.mark.parametrize("query", ["", "?v=", "?v=d014586452c0", "?v=6b0a671f"])
def test_without_its_hash_or_with_another_releases_a_file_is_asked_for_each_time(
    client: FlaskClient, query: str
) -> None:
    assert _kept(client, f"/static/chassis/ui.js{query}") == "no-cache"


@pytest.mark.parametrize("address", ["/static/chassis/nothing.js", "/static/chassis/../app.py", "/static/chassis/"])
def test_what_is_no_file_is_not_kept(client: FlaskClient, address: str) -> None:
    with client.get(f"{address}?v=") as answer:
        assert answer.status_code == 404
        assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_a_file_that_changes_gets_another_address(app: Flask, tmp_path: Path) -> None:
    def address() -> str:
        with app.test_request_context():
            return url_for("room.static", filename="part.js")

    before = address()
    assert before == f"/of/static/room/part.js?v={version_of(tmp_path / 'part.js')}"
    (tmp_path / "part.js").write_text("export const part = 22;\n")
    assert address() != before
    assert _kept(app.test_client(), before) == "no-cache"


def test_the_import_map_names_what_modules_import_and_nothing_else(client: FlaskClient) -> None:
    page = client.get("/desk")
    found = re.search(r'<script type="importmap" nonce="([^"]+)">(.*?)</script>', page.text)
    assert found
    assert f"'nonce-{found[1]}'" in page.headers["Content-Security-Policy"]
    imports = json.loads(found[2])["imports"]
    assert {"/static/chassis/ui.js", "/static/chassis/vendor/idiomorph.esm.js", "/of/static/room/part.js"} <= set(
        imports
    )
    assert not {"/static/chassis/app.js", "/of/static/room/room.js"} & set(imports)
    assert {_kept(client, address) for address in imports.values()} == {_FOR_GOOD}
    # Before whatever could import.
    assert page.text.index("importmap") < page.text.index("<script src")


@pytest.mark.parametrize(
    ("script", "names"),
    [
        ('import { a } from "./a.js";', ["./a.js"]),
        ('import "/static/chassis/live.js"', ["/static/chassis/live.js"]),
        ("const [x] = await Promise.all([y(), import('./vendor/b.js')]);", ["./vendor/b.js"]),
        ('export { a } from "../c.js";', ["../c.js"]),
        ('text("imported from the list")', []),
    ],
)
def test_what_a_module_imports_is_read_as_it_is_written(script: str, names: list[str]) -> None:
    assert imports_of(script) == names
