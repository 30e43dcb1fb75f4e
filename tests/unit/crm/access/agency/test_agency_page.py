"""The agency's page as an admin reads it: zones by the names people have for them, a colour to pick."""

import re

from tests.support.crm_paying import CrmHouse


def test_zones_are_called_as_people_call_them_the_usual_ones_first_and_a_colour_is_picked(crm: CrmHouse) -> None:
    page = crm.browser(crm.ada).get("/agency").text
    zones = page[page.index('id="time_zone"') :]
    zones = zones[: zones.index("</select>")]
    labels = re.findall(r"<option[^>]*>([^<]+)</option>", zones)
    assert labels[0] == "Eastern (New York)"
    assert not [label for label in labels if "/" in label or "_" in label]
    assert re.findall(r'<optgroup label="([^"]+)"', zones)[0] == "Often chosen"
    assert "data-wv-colour" in page
