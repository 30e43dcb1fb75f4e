"""The token of a form that no cookie goes with: signed, for one form, good for a day.

It shows that the form is one of ours and lately given out, and it names it, so that the form sent twice acts once. It
proves nothing about who sends it: only for forms that anybody may send, in nobody's name.
"""

from datetime import timedelta
from typing import Final

from flask import current_app
from itsdangerous import BadSignature, URLSafeTimedSerializer

from chassis.ids import new_link_token

GOOD_FOR: Final = timedelta(days=1)


def new_form_token(form: str) -> str:
    """A token for the form that `form` names, such as "quote/agent_1"."""
    return _signer(form).dumps(new_link_token())


def read_form_token(form: str, token: str) -> str:
    """What names this copy of the form; empty for a token that is none, of another form, or too old."""
    try:
        key = _signer(form).loads(token, max_age=int(GOOD_FOR.total_seconds()))
    except BadSignature:
        return ""
    return str(key)


def _signer(form: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt=f"form token/{form}")
