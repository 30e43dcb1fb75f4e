"""The log pipeline: what holds when a process configures it more than once."""

import io
import json

import structlog
from structlog.testing import capture_logs

from chassis.logging import configure_logging


def test_a_logger_in_use_goes_by_what_is_configured_last() -> None:
    log = structlog.get_logger("kept")
    configure_logging("crm", stream=io.StringIO())
    log.info("first.use")
    out = io.StringIO()
    configure_logging("crm", stream=out)
    with capture_logs() as entries:
        log.info("captured.event")
    assert [entry["event"] for entry in entries] == ["captured.event"]
    log.info("written.event")
    *_, last = out.getvalue().splitlines()
    assert json.loads(last)["event"] == "written.event"
