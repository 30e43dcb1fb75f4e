"""Payment cards as everybody sees them: networks, lengths, groupings, security codes, and finding a number in a text.

`networks` is the one table; the frame's and the pages' JavaScript are generated from it (`javascript`). Pure: nothing
here keeps, logs or sends anything.
"""

from chassis.cards.networks import (
    BEGINNING,
    LONGEST,
    NETWORKS,
    SHORTEST,
    Brand,
    Network,
    brand_of,
    brand_words,
    cvv_sizes,
    grouped,
    known_lengths,
    luhn_valid,
    network_of,
)

__all__ = [
    "BEGINNING",
    "LONGEST",
    "NETWORKS",
    "SHORTEST",
    "Brand",
    "Network",
    "brand_of",
    "brand_words",
    "cvv_sizes",
    "grouped",
    "known_lengths",
    "luhn_valid",
    "network_of",
]
