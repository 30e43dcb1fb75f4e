"""Refusals that only the CRM knows."""

from chassis.errors import InvalidArgument


class ChangedMeanwhile(InvalidArgument):
    """Somebody saved the same thing after this form was opened (optimistic concurrency by a version column)."""

    default_message = (
        "This was changed in another window after you opened it here, so nothing was saved. "
        "What you typed is still below; open the current version beside it, compare, and save again."
    )

    def __init__(self, *, version: int | None = None) -> None:
        """`version` is the present one, where saving what was typed once more may go ahead with it."""
        self.version = version
        super().__init__()
