"""The example of settings is complete, true and readable by what reads .env."""

import re

import pytest

from chassis.sites import SiteSettings
from deploy import env_file
from deploy.env_example import FILE, SERVICES, whole


def test_it_is_as_the_settings_classes_say() -> None:
    assert FILE.read_text("utf-8") == whole(), "run `make env-example`"


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_setting_stands_in_it_under_words(service: type[SiteSettings]) -> None:
    text = FILE.read_text("utf-8")
    for name in service.model_fields:
        assert re.search(rf"^# {service.prefix()}{name.upper()}=", text, re.MULTILINE), name


def test_nothing_is_set_until_a_line_is_uncommented() -> None:
    assert env_file.read(FILE) == {}
