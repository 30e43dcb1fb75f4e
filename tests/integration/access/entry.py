"""What a line of the access matrix says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from flask import Flask
from werkzeug.routing import Rule


class Door(Enum):
    """Whom an endpoint lets in. Whoever is not let in is told 404, as if the thing never was; a visitor without a
    session is sent to sign-in."""

    ANYBODY = "anybody, signed in or not"
    # The CRM
    AGENTS = "every agent; it shows what is their own"
    AGENCY = "everybody of the agency whose object it is"
    ADMINS = "admins of the agency; for agents the page does not exist"
    OWNER = "the agent whose object it is acts; an admin of their agency may look"
    OWNER_ALONE = "the agent whose object it is, nobody else, no admin either"
    OWNER_AND_ADMIN = "the agent whose object it is, and the admins of their agency, who may act too"
    # The portal
    CLIENTS = "every signed-in client; it shows what is their own"
    OWN_CLIENT = "the signed-in client whose object it is"
    LINK = "a browser that has opened this very link with its token; others are sent to the link's page"
    PAYER = "as LINK, and the signed-in client who is to pay"


@dataclass(frozen=True, slots=True)
class Entry:
    """One endpoint's line.

    `objects` names the object for an argument of the address where it is not the argument's own name. `form` or `json`
    is what someone who must not come in sends: so good that nothing but the question whose it is stands in their way.
    `also` are refusals that those let in may get for want of a proper form.
    """

    door: Door
    objects: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, object] = field(default_factory=dict)
    also: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request for one endpoint; `path` names real objects, `unknown` objects that never were."""

    endpoint: str
    method: str
    path: str
    unknown: str | None

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({self.endpoint})"


def endpoints_of(app: Flask) -> set[str]:
    """Every endpoint but static files."""
    return {rule.endpoint for rule in app.url_map.iter_rules() if not rule.endpoint.endswith("static")}


def missing_and_stale(app: Flask, entries: Iterable[str], file: str) -> list[str]:
    """What to mend, in words."""
    known, there = set(entries), endpoints_of(app)
    mend = [
        f"{file} has no entry for {endpoint!r} ({_rules(app, endpoint)}): add a line that says whom it lets in"
        for endpoint in sorted(there - known)
    ]
    return mend + [f"{file} names {endpoint!r}, which is no endpoint any more" for endpoint in sorted(known - there)]


def calls_of(app: Flask, endpoint: str, entry: Entry, objects: Mapping[str, str], file: str) -> list[Call]:
    """The endpoint's requests, its address filled with the objects. Fails where an argument has no object."""
    made = []
    for rule in app.url_map.iter_rules(endpoint):
        names = {argument: entry.objects.get(argument, argument) for argument in rule.arguments}
        lacking = [name for name in names.values() if name not in objects]
        assert not lacking, f"{file} makes no object {lacking} for {rule.rule} ({endpoint}); add one"
        path = _path(app, rule, {argument: objects[name] for argument, name in names.items()})
        never = {argument: _never_was(objects[name]) for argument, name in names.items()}
        unknown = _unknown_path(app, rule, never)
        made += [
            Call(endpoint=endpoint, method=method, path=path, unknown=unknown)
            for method in sorted((rule.methods or set()) & {"GET", "POST"})
        ]
    return made


def _path(app: Flask, rule: Rule, values: Mapping[str, str]) -> str:
    built = rule.build(dict(values), append_unknown=False)
    assert built is not None, rule.rule
    return built[1]


def _unknown_path(app: Flask, rule: Rule, values: Mapping[str, str]) -> str | None:
    """None for an address without objects, and for one whose arguments are one of a few words."""
    try:
        return _path(app, rule, values) if values else None
    except ValueError:
        return None


def _never_was(identifier: str) -> str:
    """Another identifier of the same form: its last letters turned around."""
    turned = {"a": "b"}
    return identifier[:-8] + "".join(turned.get(char, "a") if char.isalpha() else char for char in identifier[-8:])


def _rules(app: Flask, endpoint: str) -> str:
    return ", ".join(rule.rule for rule in app.url_map.iter_rules(endpoint))
