"""A proxy in front of a server, on which things go wrong by script.

    with FaultProxy(url) as proxy:
        proxy.script(Status(429, {"Retry-After": "0.01"}), Cut())
        ...  # the first two completions asked at proxy.url fail, the third goes through

Faults are handed out in the order in which requests arrive.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Pass:
    """The server's answer, after a while."""

    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Status:
    """An error in place of an answer; {key} in the message becomes what the client sent as its key."""

    code: int
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "as told"


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection ends in the middle of the body."""


@dataclass(frozen=True, slots=True)
class Body:
    """Another body in place of the server's, with status 200."""

    text: str


Fault = Pass | Status | Cut | Body


class FaultProxy:
    """The proxy, on a thread of its own.

    Attributes
    ----------
    url
        Where to ask in place of the server.
    asked
        The completions that were asked for, in order of arrival.
    most
        How many of them were under way at once, at most.
    """

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self._faults: deque[Fault] = deque()
        self._lock = threading.Lock()
        self._under_way = 0
        self.most = 0
        self.asked: list[dict[str, Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}{self._target.path}"

    def script(self, *faults: Fault) -> None:
        """Have the next requests meet these faults, one each."""
        self._faults = deque(faults)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def forward(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Ask the server behind."""
        connection = http.client.HTTPConnection(str(self._target.hostname), self._target.port, timeout=30)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def begin(self, body: bytes) -> Fault:
        """Count a completion, and return what happens to it."""
        with self._lock:
            self.asked.append(json.loads(body))
            self._under_way += 1
            self.most = max(self.most, self._under_way)
            return self._faults.popleft() if self._faults else Pass()

    def end(self) -> None:
        """Count a completion as done."""
        with self._lock:
            self._under_way -= 1

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._send(*proxy.forward("GET", self.path, b""))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fault = proxy.begin(body)
                try:
                    self._meet(fault, body)
                except OSError:  # the client did not wait
                    self.close_connection = True
                finally:
                    proxy.end()

            def _meet(self, fault: Fault, body: bytes) -> None:
                match fault:
                    case Pass(after_s):
                        time.sleep(after_s)
                        self._send(*proxy.forward("POST", self.path, body))
                    case Status(code, headers, message):
                        said = message.replace("{key}", self.headers.get("Authorization", ""))
                        self._send(code, json.dumps({"error": {"message": said}}).encode(), headers)
                    case Body(text):
                        self._send(200, text.encode())
                    case Cut():
                        _, data = proxy.forward("POST", self.path, body)
                        self._send(200, data[: len(data) // 2], {"Content-Length": str(len(data))})
                        self.wfile.flush()
                        self.connection.shutdown(socket.SHUT_RDWR)
                        self.close_connection = True

            def _send(self, status: int, data: bytes, headers: Mapping[str, str] | None = None) -> None:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        return Handler
