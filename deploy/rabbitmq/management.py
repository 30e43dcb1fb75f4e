"""The few calls of RabbitMQ's management API that set-up and tests need."""

import base64
import http.client
import json
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit


class ManagementFault(Exception):
    """RabbitMQ refused a call; the message names call, status and reason, never a password."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Management:
    """A client of the management API over TLS, as one administrator."""

    def __init__(self, url: str, *, user: str, password: str, ca: Path, timeout: float = 10.0) -> None:
        """`url` is https://host:port. Raises ValueError for another scheme."""
        target = urlsplit(url)
        if target.scheme != "https" or not target.hostname:
            raise ValueError("RabbitMQ's management API is spoken to over https only")
        self._host, self._port = target.hostname, target.port or 15671
        self._timeout = timeout
        self._ca = ca
        self._authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def get(self, path: str) -> Any:  # Any: JSON
        return self._call("GET", path, None)

    def put(self, path: str, body: dict[str, object]) -> None:
        """Creates or replaces. Raises ManagementFault, and OSError when RabbitMQ can't be reached."""
        self._call("PUT", path, body)

    def post(self, path: str, body: dict[str, object]) -> None:
        """Adds to what is there. Raises ManagementFault, and OSError when RabbitMQ can't be reached."""
        self._call("POST", path, body)

    def delete(self, path: str) -> None:
        """Removes; what is not there is fine."""
        try:
            self._call("DELETE", path, None)
        except ManagementFault as fault:
            if fault.status != http.client.NOT_FOUND:
                raise

    def _call(self, method: str, path: str, body: dict[str, object] | None) -> Any:  # Any: JSON
        context = ssl.create_default_context(cafile=str(self._ca))
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=context)
        try:
            connection.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers={"Authorization": self._authorization, "Content-Type": "application/json"},
            )
            answer = connection.getresponse()
            content = answer.read()
        except http.client.HTTPException as error:
            raise ManagementFault(f"{method} {path}: RabbitMQ's answer is malformed") from error
        finally:
            connection.close()
        if answer.status >= http.client.BAD_REQUEST:
            reason = content.decode("utf-8", "replace")[:300]
            raise ManagementFault(f"{method} {path}: {answer.status} {reason}", status=answer.status)
        return json.loads(content) if content else None


def segment(name: str) -> str:
    """A name as one segment of a path: `/` becomes %2F."""
    return quote(name, safe="")
