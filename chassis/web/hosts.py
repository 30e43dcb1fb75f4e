"""Only requests that were meant for this site: the Host header's name must be one of its own (RFC 9110 7.4)."""

from flask import Flask, Response, request

# Load balancers ask by address.
_FOR_ANY_NAME = frozenset({"/healthz"})
_WORDS = "This address does not lead to this site. Please check the link, or type the address you were given."


def install_host_check(app: Flask, allowed: frozenset[str]) -> None:
    """Answers 421 to every other name, before anything else looks at the request."""

    def check() -> Response | None:
        if request.path in _FOR_ANY_NAME or host_name(request.environ.get("HTTP_HOST", "")) in allowed:
            return None
        return Response(f"{_WORDS}\n", 421, mimetype="text/plain")

    app.before_request(check)


def host_name(host: str) -> str:
    """The name in a Host header, lower case, without its port and a final dot."""
    name = host.strip().lower()
    if name.startswith("["):
        return name[: name.find("]") + 1]
    return name.partition(":")[0].rstrip(".")
