"""Pages that other sites may show in a frame: forms for strangers, on an agent's own website.

Such a page stands on nothing that a frame on a foreign site could be used to trick out of somebody: it knows no
session, sets no cookie, runs no script and leads nowhere. Cookies of a framed page are blocked by most browsers, so its
form carries a signed token of its own (chassis.web.form_tokens) instead of the one that is bound to a cookie. Every
other page stays framed by nobody.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Final, ParamSpec

from flask import current_app, request
from flask.typing import ResponseReturnValue

P = ParamSpec("P")
# Which origins may show the page, by the arguments of its address; None = there is no such page.
Ancestors = Callable[..., Sequence[str] | None]
_MARK: Final = "wv_ancestors"
ANYBODY: Final = ("*",)


def framable(ancestors: Ancestors) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Lets a view's pages, refusals among them, be shown in a frame by the origins that `ancestors` gives."""

    def mark(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def marked(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            return view(*args, **kwargs)

        marked.__dict__[_MARK] = ancestors
        return marked

    return mark


def may_be_framed() -> bool:
    """Whether this request is for a page that other sites may show."""
    return _ancestors() is not None


def framing_policy() -> str | None:
    """The content security policy of a page that may be framed; None for every other."""
    ancestors = _ancestors()
    if ancestors is None:
        return None
    allowed = ancestors(**(request.view_args or {})) or ("'none'",)
    return (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self'; "
        f"base-uri 'none'; frame-ancestors {' '.join(allowed)}"
    )


def _ancestors() -> Ancestors | None:
    view = current_app.view_functions.get(request.endpoint or "")
    found: Ancestors | None = getattr(view, _MARK, None)
    return found
