"""The page, the numbers and the metrics over HTTP: on loopback only, read-only, on a thread of its own."""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Final

import tenure
from tenure.pipeline.eyes.metrics import exposition

__all__ = ["Door"]

Numbers = Mapping[str, int | float]

#: Nothing but this page's own script and style, and its own numbers.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"


#: Seconds a peer may take to say what it wants, or to take what it is told; each holds a thread and a descriptor.
PATIENCE: Final = 10.0


class _Listening(ThreadingHTTPServer):
    """Says nothing of a browser that left: that is no fault of the server's."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Door:
    """Serves ``/`` (the dashboard), ``/numbers`` (JSON) and ``/metrics`` (Prometheus) on 127.0.0.1."""

    def __init__(self, port: int, numbers: Callable[[], Numbers], waits: Sequence[int] = ()) -> None:
        pages: dict[str, tuple[str, Callable[[], bytes]]] = {
            "/": ("text/html; charset=utf-8", _dashboard),
            "/numbers": ("application/json", lambda: _told(numbers(), waits)),
            "/metrics": ("text/plain; version=0.0.4; charset=utf-8", lambda: exposition(numbers, list(waits))),
        }
        self._server = _Listening(("127.0.0.1", port), _handler(pages))
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="tenure-eyes", daemon=True)
        self._thread.start()

    @property
    def where(self) -> str:
        """The address a browser takes."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def descriptor(self) -> int:
        """That of the socket it listens at."""
        return self._server.fileno()

    def close(self) -> None:
        """Serve nobody any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _dashboard() -> bytes:
    return (files("tenure.pipeline.eyes") / "dashboard.html").read_bytes()


def _told(numbers: Numbers, waits: Sequence[int]) -> bytes:
    """The numbers, how many batches waited how long, and what is open by kind."""
    kinds = Counter({line.kind: 0 for line in tenure.ledger.by_site()})
    for line in tenure.ledger.by_site():
        kinds[line.kind] += line.open
    return json.dumps({**numbers, "waits": list(waits), "kinds": kinds}).encode()


def _handler(pages: Mapping[str, tuple[str, Callable[[], bytes]]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers GET from one table."""

        timeout = PATIENCE

        def do_GET(self) -> None:
            host = (self.headers.get("Host") or "").partition(":")[0]
            if host not in ("127.0.0.1", "localhost"):  # a page elsewhere whose name was made to point here
                return self.send_error(HTTPStatus.FORBIDDEN, "only for 127.0.0.1")
            kind, made = pages.get(self.path, ("", None))
            if made is None:
                return self.send_error(HTTPStatus.NOT_FOUND)
            return self._answer(kind, made())

        def _answer(self, kind: str, body: bytes) -> None:
            self.send_response(HTTPStatus.OK)
            headers = {"Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": "no-store"}
            for name, value in {**headers, "Content-Security-Policy": POLICY}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: looking is not worth a line."""

    return Handler
