"""What an answer to an insurance offer is. Pure."""

# The words beside the tick. A changed text gets a new version, and old documents keep theirs.
ANSWER_CONSENT_VERSION = "2026-11"
ANSWER_CONSENT_TEXT = (
    "I have read this offer, the answer above is mine, and I agree that my electronic signature is as binding as one "
    "on paper."
)


def read_answer(text: str) -> bool | None:
    """Accepted, declined, or None for what is no answer."""
    return {"accept": True, "decline": False}.get(text)


def answer_words(accepted: bool) -> str:
    """ "Accepted" or "Declined"."""
    return "Accepted" if accepted else "Declined"
