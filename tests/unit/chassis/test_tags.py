"""Tags with slips are named together with the tag that was meant (case kind 7)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.reminder_words import TAGS
from chassis.tags import fill, slips, slips_message


@pytest.mark.parametrize(
    "written",
    [
        "{ClientFristName}",
        "{clientfirstname}",
        "{Client First Name}",
        "{Client_FirstName}",
        "{ ClientFirstName }",
        "{{ClientFirstName}}",
        "{ClientFirstNam}",
        "{ClientFirstName",
        "{{{ClientFirstName}}}",
        "{ClientFirstName|upper}",
        "{Client-FirstName}",
        "{Client.FirstName}",
        "{СlientFirstName}",  # a Cyrillic С
        "{“ClientFirstName”}",
        "{Client\u200bFirstName}",
        "{ClientFirstName\u00a0}",
        # As other programs have it.
        "[ClientFirstName]",
        "<ClientFirstName>",
        "«ClientFirstName»",
        "%ClientFirstName%",
        "<<ClientFirstName>>",
        "ClientFirstName,",
    ],
)
def test_a_slip_is_named_with_the_tag_that_was_meant(written: str) -> None:
    found = slips(f"Dear {written}", TAGS)
    assert [slip.nearest for slip in found] == ["ClientFirstName"]
    assert slips_message(found, TAGS).endswith("is not a tag. Did you mean {ClientFirstName}?")


@pytest.mark.parametrize("words", ["Due Today", "[today]", "all Passengers", "the client name", "MyClientName", ""])
def test_words_are_no_slips(words: str) -> None:
    assert slips(words, {*TAGS, "Today", "Passengers"}) == []


@pytest.mark.parametrize("odd", ["{}", "{ }", "{{", "}}", "{имя}", "{Client\nFirstName}", "{% ClientFirstName", "{ {"])
def test_no_brace_that_is_part_of_no_tag_passes(odd: str) -> None:
    assert slips(f"Dear {{ClientFirstName}} {odd}", TAGS)


def test_what_looks_like_no_tag_is_answered_with_all_of_them() -> None:
    message = slips_message(slips("A {smiley} and a }", TAGS), TAGS)
    assert message.startswith("{smiley} is not a tag. The tags are: ")
    assert all(f"{{{tag}}}" in message for tag in TAGS)


@given(st.lists(st.one_of(st.sampled_from(sorted(TAGS)).map("{{{}}}".format), st.text(), st.just("{"), st.just("}"))))
def test_a_text_without_slips_has_no_brace_left_once_it_is_filled(parts: list[str]) -> None:
    text = "".join(parts)
    if not slips(text, TAGS):
        assert not set("{}") & set(fill(text, dict.fromkeys(TAGS, "x")))


@given(st.sampled_from(sorted(TAGS)), st.data())
def test_two_letters_that_changed_places_are_found_again(tag: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(tag) - 2))
    swapped = tag[:at] + tag[at + 1] + tag[at] + tag[at + 2 :]
    found = slips(f"{{{swapped}}}", TAGS)
    assert [slip.nearest for slip in found] == ([] if swapped == tag else [tag])
