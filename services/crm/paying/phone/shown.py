"""What the panel is told of a session, in words and counts. Never a digit but the last four of a stored card."""

from typing import Any

from chassis.cards import brand_words
from services.crm.paying.phone.masker import Progress
from services.crm.paying.phone.rules import REFUSAL_WORDS, RESULT_WORDS, SILENT_WORDS, Result


def shown(progress: Progress) -> dict[str, Any]:  # Any: it becomes JSON
    """For phone.js."""
    result = Result(progress.result) if progress.result in list(Result) else None
    return {
        "state": progress.state,
        "open": progress.open_field,
        "brand": brand_words(progress.brand) if progress.brand and progress.brand != "other" else "",
        "last4": progress.last4,
        "result": result,
        "result_words": RESULT_WORDS[result] if result else "",
        "seconds": round(progress.seconds_left),
        "silent": " ".join(SILENT_WORDS[each] for each in progress.silent if each in SILENT_WORDS),
        "fields": {
            field: {
                "digits": each.digits,
                "taken": each.taken,
                "refusal": REFUSAL_WORDS.get(each.refusal, ""),
                "asked": each.asked,
            }
            for field, each in progress.fields.items()
        },
    }
