"""The addresses that the tests' apps share (tests/support/compiled.py) are those that each app has by itself."""

from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Map

from tests.support.compiled import SAME_ADDRESSES
from tests.support.crm_site import CrmSite
from tests.support.portal import PortalWorld


def _apps(folder: Path) -> tuple[Flask, Flask]:
    for name in ("crm", "portal"):
        (folder / name).mkdir(parents=True)
    return CrmSite(folder / "crm").app, PortalWorld(folder / "portal").wsgi


def _addresses(app: Flask) -> set[tuple[str, str, frozenset[str]]]:
    return {(rule.rule, rule.endpoint, frozenset(rule.methods or ())) for rule in app.url_map.iter_rules()}


def test_a_shared_map_has_the_addresses_that_an_app_makes_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = _apps(tmp_path / "shared")
    assert [app.import_name for app in shared] == list(SAME_ADDRESSES)
    assert [app.url_map for app in shared] == [app.url_map for app in _apps(tmp_path / "again")]
    monkeypatch.setattr(Flask, "url_map_class", Map)
    for kept, own in zip(shared, _apps(tmp_path / "own"), strict=True):
        assert own.url_map is not kept.url_map
        assert _addresses(kept) == _addresses(own)
        assert {rule.endpoint for rule in kept.url_map.iter_rules()} == set(kept.view_functions)
