"""Compiled templates are kept for the next process, privately, and are never needed."""

from pathlib import Path

import pytest
from flask import Flask, render_template

from chassis.web.compiled import keep_compiled_templates


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "hello.html").write_text("Hello {{ name }}")
    made = Flask("hello", root_path=str(tmp_path))
    made.jinja_env.bytecode_cache = None
    return made


def _greeting(app: Flask) -> str:
    with app.app_context():
        return render_template("hello.html", name="Maya")


def test_a_template_is_compiled_into_a_private_folder(app: Flask, tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "crm"
    keep_compiled_templates(app, folder)
    assert _greeting(app) == "Hello Maya"
    assert len(list(folder.iterdir())) == 1
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_changed_template_is_compiled_anew(app: Flask, tmp_path: Path) -> None:
    keep_compiled_templates(app, tmp_path / "cache")
    app.jinja_env.auto_reload = True
    _greeting(app)
    (tmp_path / "templates" / "hello.html").write_text("Good day {{ name }}")
    app.jinja_env.cache.clear()  # type: ignore[union-attr]  # as the next process starts
    assert _greeting(app) == "Good day Maya"


def test_a_folder_that_can_not_be_made_or_written_changes_nothing(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    keep_compiled_templates(app, tmp_path / "file" / "cache")
    assert _greeting(app) == "Hello Maya"
    keep_compiled_templates(app, tmp_path / "cache")
    (tmp_path / "cache").rmdir()
    app.jinja_env.cache.clear()  # type: ignore[union-attr]
    assert _greeting(app) == "Hello Maya"
