"""Names of files as people and programs give them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.typed.file_names import ending_of, file_name


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("boarding\u202efdp.exe", "boardingfdp.exe"),
        ("\u200f\u202bכרטיס\u202c.pdf", "כרטיס.pdf"),
        ("../../etc/list.CSV", "list.csv"),
        ("C:\\Users\\Ann\\list.csv", "list.csv"),
        (unicodedata.normalize("NFD", "Gäste.csv"), "Gäste.csv"),
        ("🏝️ Hawaii.csv", "🏝️ Hawaii.csv"),
        ("AUX.csv", "file AUX.csv"),
        ("com¹.csv", "file com¹.csv"),
        ("a\x00\x1b[31m.csv", "a[31m.csv"),
        ("list.csv. ", "list.csv"),
        ("Trip to St. Moritz", "Trip to St. Moritz"),
        (" ", "document"),
        ("....", "document"),
        (".csv", "document.csv"),
    ],
)
def test_a_name_is_kept_without_what_deceives_or_breaks(name: str, kept: str) -> None:
    assert file_name(name) == kept


@pytest.mark.parametrize("name", ["passes.pdf.exe", "passes.exe", "passes", "passes.PDF", "passes.pdf."])
def test_the_ending_is_that_of_what_the_file_is(name: str) -> None:
    assert file_name(name, "pdf") == "passes.pdf"


@pytest.mark.parametrize("name", ["a.txt", "a.TXT", "a.txt ", "a.txt.", "a.txt\u200b", "a\uff0etxt", "a.tx\u00adt"])
def test_an_ending_is_found_in_spite_of_what_nobody_sees(name: str) -> None:
    assert ending_of(name) == "txt"


@given(st.text(max_size=300))
def test_any_name_is_one_short_line_that_every_file_system_takes(name: str) -> None:
    kept = file_name(name)
    assert 0 < len(kept) <= 111
    assert len(kept.encode()) <= 255
    assert not set(kept) & set('/\\<>:"|?*\n\r\t\u202e\x00')
    assert file_name(kept) == kept
