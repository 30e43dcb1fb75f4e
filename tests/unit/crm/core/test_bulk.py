"""Several rows of a list at once: what is picked, what is carried along, and what is told of each row."""

from flask import Flask

from chassis.errors import InvalidArgument
from chassis.ids import new_id
from services.crm.core.bulk import MOST_AT_ONCE, carried_state, for_each, list_state, picked


def test_only_ids_are_picked_each_once_and_no_more_than_a_page() -> None:
    ids = [new_id("task") for _ in range(MOST_AT_ONCE + 5)]
    odd = ["", "1; drop table task", ids[0], f"{ids[1]}:3", f"{ids[1]}:-3", "\ud800"]
    with Flask("bulk").test_request_context("/", query_string={"pick": [ids[0], *odd[:4]]}):
        assert picked() == [ids[0], f"{ids[1]}:3"]
    with Flask("bulk").test_request_context("/", method="POST", data={"pick": ids}):
        assert picked() == ids[:MOST_AT_ONCE]


def test_a_list_comes_back_as_it_was_without_its_ticks() -> None:
    with Flask("bulk").test_request_context("/tasks?state=done&q=a+b&ticked=all"):
        assert list_state() == "state=done&q=a+b"
    for odd in ("&" * 3000, "//evil.example", "a=" + "b" * 5000, "=&=&=", "%00%ff"):
        with Flask("bulk").test_request_context("/", method="POST", data={"list": odd}):
            assert len(carried_state()) < 4000
            assert not carried_state().startswith("/")


def test_a_row_that_is_refused_hinders_no_other_and_is_named() -> None:
    def act(number: int) -> int:
        if number == 2:
            raise InvalidArgument("Two is taken.")
        return number * 10

    told = for_each([1, 2, 3], lambda number: f"Row {number}", act)
    assert [(each.words, each.result, each.problem) for each in told] == [
        ("Row 1", 10, ""),
        ("Row 2", None, "Two is taken."),
        ("Row 3", 30, ""),
    ]
