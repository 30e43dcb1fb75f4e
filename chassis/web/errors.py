"""Refusals and faults as pages (in the service's own looks) or as JSON, each saying what to do next."""

import structlog
from flask import Flask, Response, current_app, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError, generate_csrf
from werkzeug.exceptions import HTTPException

from chassis.db import DATABASE_AWAY
from chassis.errors import Internal, WayvaultError
from chassis.web import tripwire
from chassis.web.framing import may_be_framed
from chassis.web.senders import ForeignForm
from chassis.web.session_watch import signed_in_name
from chassis.web.typed_values import typed_values
from protos.wayvault.common.v1.common_pb2 import ErrorCode

_log = structlog.get_logger("web")

# Title and what to do next. The what-happened of 422 and WayvaultErrors comes with the error.
_PAGES: dict[int, tuple[str, str]] = {
    400: ("That request didn't make sense to us", "Please go back, reload the page and try again."),
    401: ("Please sign in first", "This page is for people who have signed in."),
    403: ("You can't open this page", "You are signed in, but this page belongs to somebody else."),
    404: (
        "There is nothing here",
        "The address may be cut off or mistyped, or this was removed. Copy the whole link, or ask who sent it to you.",
    ),
    405: ("That can't be done this way", "Please go back and use the button on the page."),
    409: ("That can't be done any more", "Please reload the page to see how things stand."),
    410: ("This is over", "What this page was for has expired or was used."),
    413: ("That is too large", "Please send a smaller file or a shorter text."),
    422: ("Please check what you entered", "Go back, correct it and send it again."),
    429: ("Too many tries", "Please wait a little, then try again."),
    500: ("Something went wrong on our side", "Nothing was lost. Please try again; if it happens again, tell us when."),
    503: ("We can't do that right now", "Nothing was used up. Please try again in a moment."),
}

# How an expected refusal answers over HTTP; everything not named is 409, a conflict with how things stand.
_STATUS: dict[int, int] = {
    ErrorCode.ERROR_CODE_INTERNAL: 500,
    ErrorCode.ERROR_CODE_INVALID_ARGUMENT: 422,
    ErrorCode.ERROR_CODE_NOT_FOUND: 404,
    ErrorCode.ERROR_CODE_PERMISSION_DENIED: 403,
    ErrorCode.ERROR_CODE_UNAUTHENTICATED: 403,
    ErrorCode.ERROR_CODE_UNAVAILABLE: 503,
    ErrorCode.ERROR_CODE_DEADLINE_TOO_SHORT: 503,
    ErrorCode.ERROR_CODE_BUSY: 503,
    ErrorCode.ERROR_CODE_TOO_LARGE: 413,
    ErrorCode.ERROR_CODE_CARD_INVALID: 422,
    ErrorCode.ERROR_CODE_CODE_WRONG: 422,
    ErrorCode.ERROR_CODE_TOO_MANY_CHALLENGES: 429,
    ErrorCode.ERROR_CODE_INTAKE_EXPIRED: 410,
    ErrorCode.ERROR_CODE_CARD_GONE: 410,
    ErrorCode.ERROR_CODE_CVV_GONE: 410,
    ErrorCode.ERROR_CODE_LINK_EXPIRED: 410,
}


def http_status(error: WayvaultError) -> int:
    """The HTTP status of an expected refusal."""
    return _STATUS.get(int(error.code), 409)


def code_name(error: WayvaultError) -> str:
    """The ErrorCode's name without its prefix, as the secure frame's protocol has it: "CODE_WRONG"."""
    return ErrorCode.Name(error.code).removeprefix("ERROR_CODE_")


def wants_json() -> bool:
    """Whether the caller is a script that reads JSON."""
    accepted = request.accept_mimetypes
    return request.is_json or accepted.best_match(["text/html", "application/json"]) == "application/json"


def install_error_pages(app: Flask) -> None:
    """Answers every error in the service's looks; none shows a value that was sent, none shows a traceback."""
    app.register_error_handler(WayvaultError, _on_refusal)
    app.register_error_handler(CSRFError, _on_stale_form)
    app.register_error_handler(tripwire.CardNumberRefused, _on_card_number)
    app.register_error_handler(HTTPException, _on_http)
    for kind in DATABASE_AWAY:
        app.register_error_handler(kind, _on_database_away)
    app.register_error_handler(Exception, _on_fault)


def _on_refusal(error: WayvaultError) -> Response:
    status = http_status(error)
    if isinstance(error, Internal):
        _log.error("http.internal", exc_info=error)
    return _answer(
        status,
        message=error.message,
        code=code_name(error),
        field=error.field,
        attempts_left=error.attempts_left,
    )


def _on_stale_form(error: CSRFError) -> Response:
    if isinstance(error, ForeignForm):
        return _answer(
            403,
            title="Another site sent this",
            message="We did not act on it. If you meant to do it, please open the page here and send it from there.",
            code="FOREIGN_FORM",
        )
    _log.warning("http.form_refused", route=str(request.url_rule or ""), reason=error.description)
    if request.headers.get("Sec-Fetch-Site") == "same-origin" and not wants_json() and (again := typed_values()):
        # The browser says that our own page sent it, signed in anew in another window: it may be sent once more.
        return make_response(
            render_plain(
                "errors/plain.html",
                status=400,
                title="This page was open for too long",
                message="To keep you safe we did not act on it yet.",
                # Perhaps another person than who typed it.
                advice=f"You are signed in as {name}: it is sent in that name." if (name := signed_in_name()) else "",
                again=again,
                action=request.full_path.rstrip("?"),
            ),
            400,
        )
    return _answer(
        400,
        title="This page was open for too long",
        message="To keep you safe we did not act on it. Go back, reload the page and send it again.",
        code="FORM_EXPIRED",
    )


def _on_card_number(refused: tripwire.CardNumberRefused) -> Response:
    _log.warning("tripwire.card_number_refused", route=str(request.url_rule or ""))
    return _answer(
        422,
        title="A card number can't go here",
        message=tripwire.MESSAGE,
        advice=refused.help,
        code="CARD_NUMBER_REFUSED",
        field=refused.field,
    )


def _on_http(error: HTTPException) -> Response:
    if error.response is not None or (error.code or 500) < 400:
        return make_response(error.get_response())
    answer = _answer(error.code or 500, code=(error.name or "").upper().replace(" ", "_"))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            answer.headers[name] = value
    return answer


def _on_database_away(error: Exception) -> Response:
    """503 in words, and what was typed with a button that sends it again: the page must not ask the database."""
    _log.error("http.database_away", route=str(request.url_rule or ""), error=type(error).__name__)
    message = "Our database doesn't answer right now. Nothing was saved, and nothing was used up."
    if wants_json():
        return _answer(503, message=f"{message} Please try again in a moment.", code="UNAVAILABLE")
    page = render_plain(
        "errors/plain.html",
        status=503,
        title="We can't do that right now",
        message=message,
        advice="Please try again in a moment.",
        again=typed_values() if request.method == "POST" else None,
        action=request.full_path.rstrip("?"),
    )
    return make_response(page, 503, {"Retry-After": "5"})


def render_plain(template: str, **values: object) -> str:
    """A page without the layout, whose context might be what failed."""
    page = current_app.jinja_env.get_template(template)
    shown: str = page.render(csrf_token=generate_csrf, framed=may_be_framed(), **values)
    return shown


def _on_fault(error: Exception) -> Response:
    _log.error("http.fault", route=str(request.url_rule or ""), exc_info=error)
    return _answer(500, code="INTERNAL")


def _answer(
    status: int,
    *,
    title: str = "",
    message: str = "",
    advice: str = "",
    code: str = "",
    field: str = "",
    attempts_left: int = 0,
) -> Response:
    known_title, known_advice = _PAGES.get(status, _PAGES[500 if status >= 500 else 400])
    message = message or known_advice
    if wants_json():
        details = {"code": code, "message": message, "field": field, "attempts_left": attempts_left}
        response = jsonify(error=details)
    else:
        shown = {"status": status, "title": title or known_title, "message": message, "advice": advice}
        response = make_response(_page(shown))
    response.status_code = status
    return response


def _page(shown: dict[str, object]) -> str:
    """The page in the service's layout; a plain one when the layout itself can't be rendered (database down), and in
    a frame on another site, which leads nowhere."""
    if may_be_framed():
        return render_plain("errors/plain.html", **shown)
    try:
        return render_template("errors/error.html", **shown)
    except Exception as error:  # whatever broke the layout must not take the message with it
        _log.error("http.error_page_failed", exc_info=error)
        return render_plain("errors/plain.html", **shown)
