"""Finds what nothing uses: `python -m deploy.dev.unused` (part of `make lint`), by vulture.

A name that a template, a style of mail or a document of ours shows counts as used; tests don't count. What only a
framework calls is listed here by name.
"""

import re
import sys
from pathlib import Path

from vulture import Vulture

_ROOT = Path(__file__).resolve().parents[2]
_CODE = ("chassis", "deploy", "services")
_TEMPLATES = (".html", ".txt", ".subject", ".typ")
_KINDS = frozenset({"class", "function", "method", "property"})
_CERTAINTY = 60

# Called by Flask, WTForms, SQLAlchemy, pydantic, gRPC, gunicorn, supervisord, smtplib or Python by these names.
_CALLED_BY_FRAMEWORKS = re.compile(
    r"__\w+__|validate_\w+|pre_validate|process_data|process_formdata|process_bind_param|process_result_value|operate"
    r"|handle_starttag|handle_endtag|handle_data|settings_customise_sources|intercept_service|add_generic_rpc_handlers|add_registered_method_handlers"
    r"|getreply|log_message|setup|load_config|load_wsgi|get_thread_pool|finish_request|murder_\w+|_cap_keepalive|setblocking|[A-Z]\w+(?<=[a-z])"
)
_CALLED_BY_DECORATORS = (
    "@*.route",
    "@*.get",
    "@*.post",
    "@*.before_request",
    "@*.app_context_processor",
    "@*.errorhandler",
    "@compiles",
    "@event.listens_for",
    "@field_validator",
    "@model_validator",
    "@*.inplace.*",
)
# Kept for a reason: what only a test has to ask, the mark of an event without a reaction, and values that the rooms
# which type them next will use.
_KEPT = frozenset(
    {"forgotten", "ignore", "is_of_a_network", "pictures"}
    | {"birthday_bounds", "by_last_name", "called", "day_from", "name_keys", "number_from", "region_of"}
    | {"same_number", "sort_key", "title_key"}
    | {"beat", "capture", "datagram", "give_up_field", "payload_of"}  # services/vault/phone, not wired yet
    | {"on_the_way"}
)


def main() -> int:
    """Prints each unused thing. Returns 1 when there is any."""
    found = unused()
    print("\n".join(found) if found else "Nothing is unused.", file=sys.stderr if found else sys.stdout)
    return 1 if found else 0


def unused() -> list[str]:
    """Place and name of each class, function, method and property that nothing uses."""
    reader = Vulture(ignore_decorators=list(_CALLED_BY_DECORATORS))
    reader.scavenge([str(_ROOT / folder) for folder in _CODE], exclude=["*_pb2*", "*/migrations/*"])
    reader.used_names |= _shown()
    return [
        f"{item.filename.relative_to(_ROOT)}:{item.first_lineno}: nothing uses the {item.typ} {item.name}"
        for item in reader.get_unused_code(min_confidence=_CERTAINTY)
        if item.typ in _KINDS and item.name not in _KEPT and not _CALLED_BY_FRAMEWORKS.fullmatch(item.name)
    ]


def _shown() -> set[str]:
    """Every word of the templates."""
    words: set[str] = set()
    for folder in _CODE:
        for file in (_ROOT / folder).rglob("*"):
            if file.suffix in _TEMPLATES:
                words.update(re.findall(r"[A-Za-z_]\w+", file.read_text("utf-8")))
    return words


if __name__ == "__main__":
    sys.exit(main())
