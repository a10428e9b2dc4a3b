"""The API as a process of its own: uvicorn, with streams that end at once when it stops."""

import socket

import uvicorn

from api.app import create_app
from config.memory import settle
from config.settings import Settings

#: Requests in progress may take this long to finish once the process was asked to stop.
GRACE_S = 5


class Server(uvicorn.Server):
    """uvicorn waits for open connections; a stream would never close by itself, so it is told."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.feeds.end_streams()  # type: ignore[union-attr]
        await super().shutdown(sockets)


class CertificateRefused(Exception):
    """TLS_CERT or TLS_KEY cannot be read, or they do not belong together."""


class PortTaken(Exception):
    """Something else listens on the port; set HOTLINE_HTTP_PORT or stop it."""


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. Raises PortTaken, CertificateRefused."""
    listener = _listen(settings.http_host, settings.http_port)
    settle()
    try:
        Server(configure_server(settings)).run([listener])
    finally:
        listener.close()


def configure_server(settings: Settings) -> uvicorn.Config:
    """How uvicorn serves. Raises CertificateRefused."""
    config = uvicorn.Config(
        create_app(settings),
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=65_536,
        ws="websockets-sansio",
        ws_max_size=65_536,
        ws_per_message_deflate=False,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        forwarded_allow_ips=settings.trusted_proxies,
    )
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one, too
        raise CertificateRefused(str(error)) from error
    return config


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(f"{host}:{port}: {error.strerror}") from error
    return listener
