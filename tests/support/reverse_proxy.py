"""A reverse proxy as people put before a server: it ends TLS, and takes a path of its own away."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import httpx

_OF_A_CONNECTION = frozenset(("connection", "keep-alive", "transfer-encoding", "content-length"))


class ReverseProxy:
    """A context manager: `url` is where the world finds what `behind` serves."""

    def __init__(self, behind: str, path: str, context: ssl.SSLContext) -> None:
        client = httpx.Client(base_url=behind, trust_env=False, timeout=30)
        self.seen: list[str] = []  # the addresses of requests, as the world sent them

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass_on(proxy) -> None:  # noqa: N805 (`self` is the proxy's)
                self.seen.append(proxy.path)
                if not proxy.path.startswith(path + "/"):
                    proxy.send_error(404)
                    return
                body = proxy.rfile.read(int(proxy.headers.get("content-length", 0)))
                headers = {n: v for n, v in proxy.headers.items() if n.lower() != "connection"}
                headers["X-Forwarded-For"] = proxy.client_address[0]
                headers["X-Forwarded-Proto"] = "https"
                answer = client.request(
                    proxy.command, proxy.path.removeprefix(path), headers=headers, content=body
                )
                proxy.send_response_only(answer.status_code)
                for name, value in answer.headers.multi_items():
                    if name not in _OF_A_CONNECTION:
                        proxy.send_header(name, value)
                proxy.send_header("content-length", str(len(answer.content)))
                proxy.end_headers()
                proxy.wfile.write(answer.content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on  # noqa: N815 (its names)

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        class Listener(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """A client that trusts no such certificate hangs up."""

        self._client = client
        self._server = Listener(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://localhost:{self._server.server_address[1]}{path}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._client.close()
