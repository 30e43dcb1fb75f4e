"""Gunicorn with threads behind a waiting room (chassis.web.worker).

The app, and with it every engine and channel, is made in the worker, after the fork.
"""

import logging
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from chassis.hardening import keep_memory_private
from chassis.health import READINESS, Readiness, serve_status
from chassis.lifecycle import forget_what_is_loaded
from chassis.web.worker import with_streams

# Held by one worker at a time; then the one that has waited longest goes.
_CONNECTIONS = 2000

AppFactory = Callable[[], Flask]


# This process's worker, once there is one.
_workers: list[Any] = []


def is_ending() -> bool:
    """Whether this process was told to end: what streams for long stops then, so that nobody waits for it."""
    return any(not worker.alive for worker in _workers)


def _ready(worker: Any, metrics: str) -> None:  # Any: gunicorn's Worker
    _workers.append(worker)
    readiness = getattr(worker.wsgi, "extensions", {}).get(READINESS) or Readiness({})
    serve_status(metrics, readiness, processes=worker.cfg.workers)
    forget_what_is_loaded()


class _PipelineLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Sends gunicorn's own messages through the service's log pipeline; there is no access log (requests.py logs)."""

    def setup(self, cfg: Any) -> None:  # Any: gunicorn's Config
        self.loglevel = logging.INFO
        self.error_log.propagate = True
        self.error_log.setLevel(logging.INFO)
        self.access_log.propagate = False
        self.access_log.disabled = True


class _Application(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(self, app_factory: AppFactory, options: dict[str, Any]) -> None:
        self._app_factory = app_factory
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app_factory()


def serve(
    app_factory: AppFactory,
    bind: str,
    workers: int = 1,
    threads: int = 8,
    *,
    streams: int = 0,
    metrics: str = "",
    after: Callable[[], None] | None = None,
) -> None:
    """Serves until SIGTERM, then lets running requests finish for 20 seconds. Does not return.

    `bind` is "127.0.0.1:8101". `threads` requests are worked on at a time in each worker, beside `streams` answers
    that stay open. `metrics` is where GET /metrics is answered ("127.0.0.1:8111"), never on the site itself. `after`
    runs in each worker when it ends, to close engines and channels.
    """
    keep_memory_private()  # before the fork: the workers inherit it
    options: dict[str, Any] = {
        "bind": bind,
        "workers": workers,
        "threads": threads,
        "worker_class": with_streams(streams),
        "worker_connections": _CONNECTIONS + streams,
        "sendfile": False,
        "preload_app": False,
        "timeout": 60,
        "graceful_timeout": 20,
        "keepalive": 15,
        "limit_request_line": 8190,
        "forwarded_allow_ips": "",
        "logger_class": _PipelineLogger,
        # Its socket would be one path for every service of a user.
        "control_socket_disable": True,
        "proc_name": "wayvault-web",
        "post_worker_init": lambda worker: _ready(worker, metrics),
    }
    if after is not None:
        options["worker_exit"] = lambda _server, _worker: after()
    _Application(app_factory, options).run()
