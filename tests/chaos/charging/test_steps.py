"""kill -9 exactly at each step of a charge, a refund and a standing order: it exists once, and is known. A short part
runs with the other tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.charging import steps
from tests.chaos.charging.steps import CHARGE, MANDATE, REFUND, Steps, Template

pytestmark = [pytest.mark.chaos, pytest.mark.enable_socket, pytest.mark.timeout(200)]


def _furnish(make: Callable[[Path], Template]) -> Any:  # Any: pytest's fixture
    @pytest.fixture(scope="module")
    def furnished(tmp_path_factory: pytest.TempPathFactory) -> Template:
        return make(tmp_path_factory.mktemp(make.__name__))

    return furnished


card = _furnish(steps.with_a_card)
charged = _furnish(steps.with_a_charge)
plan = _furnish(steps.with_a_plan)


def _words(case: Steps) -> str:
    return f"{case[-1].program}: {case[-1].words}".replace(" ", "-")


@pytest.mark.parametrize("case", CHARGE, ids=_words)
def test_a_charge_exists_once(card: Template, tmp_path: Path, case: Steps) -> None:
    steps.a_charge_is_made_once(card.copy(tmp_path), case)


@pytest.mark.parametrize("case", REFUND, ids=_words)
def test_a_refund_exists_once(charged: Template, tmp_path: Path, case: Steps) -> None:
    steps.a_refund_is_made_once(charged.copy(tmp_path), case)


@pytest.mark.parametrize("case", MANDATE, ids=_words)
def test_each_day_of_a_standing_order_is_charged_once(plan: Template, tmp_path: Path, case: Steps) -> None:
    steps.each_day_is_charged_once(plan.copy(tmp_path), case)
