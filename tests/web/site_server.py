"""Serves the built site on this machine, with any headers and a script before a page's own."""

from __future__ import annotations

import contextlib
import http.server
import io
import threading
from collections.abc import Iterator
from pathlib import Path

SITE = Path(__file__).parents[2] / "_build" / "html"


@contextlib.contextmanager
def serve(
    folder: Path = SITE,
    headers: dict[str, str] | None = None,
    script: str = "",
    missing: list[str] | None = None,
) -> Iterator[str]:
    """The address of a folder while it is served.

    ``script`` is put at the head of each page; what was asked for in vain goes into ``missing``.
    """

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))

        def send_head(self) -> io.BufferedIOBase | None:
            path = Path(self.translate_path(self.path))
            if not script or path.suffix != ".html" or not path.is_file():
                return super().send_head()
            page = path.read_text(encoding="utf-8")
            body = page.replace("<head>", f"<head><script>{script}</script>", 1).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            return io.BytesIO(body)

        def send_error(self, *arguments: object) -> None:
            if missing is not None:
                missing.append(f"{arguments[0]} {self.path}")
            super().send_error(*arguments)

        def end_headers(self) -> None:
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            super().end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
