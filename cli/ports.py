"""Are the ports free that this instance wants? A taken one is named together with the setting that moves it."""

import socket
from dataclasses import dataclass
from typing import Literal

from config.settings import Settings


@dataclass(frozen=True, slots=True)
class Port:
    """A port that one of our processes will listen on."""

    purpose: str
    host: str
    number: int
    transport: Literal["tcp", "udp"]
    #: The setting that moves it.
    setting: str

    def is_free(self) -> bool:
        kind = socket.SOCK_STREAM if self.transport == "tcp" else socket.SOCK_DGRAM
        with socket.socket(socket.AF_INET, kind) as probe:
            if self.transport == "tcp":  # as servers do: connections that just ended do not count
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.number))
            except OSError:
                return False
        return True

    def fields(self) -> dict[str, object]:
        """For a sentence about it."""
        return {
            "transport": self.transport.upper(),
            "number": self.number,
            "purpose": self.purpose,
            "setting": self.setting,
        }


def wanted_ports(settings: Settings, *, with_asterisk: bool) -> list[Port]:
    """What `hotline up` will listen on with these settings."""
    ports = [Port("API and console", settings.http_host, settings.http_port, "tcp", "HOTLINE_HTTP_PORT")]
    if not settings.redis_url:
        ports.append(Port("embedded Redis", "127.0.0.1", settings.effective_redis_port, "tcp", "HOTLINE_REDIS_PORT"))
    if with_asterisk:
        sip, first = settings.sip_port, settings.effective_rtp_first
        ports += [
            Port("SIP", settings.sip_host, sip, "udp", "HOTLINE_SIP_PORT"),
            Port("SIP", settings.sip_host, sip, "tcp", "HOTLINE_SIP_PORT"),
            Port("Asterisk manager", "127.0.0.1", settings.effective_ami_port, "tcp", "HOTLINE_AMI_PORT"),
            *_websocket(settings),
            Port("sound, first port", settings.sip_host, first, "udp", "HOTLINE_RTP_PORT_FIRST"),
        ]
    return ports


def _websocket(settings: Settings) -> list[Port]:
    number = settings.effective_sip_ws_port
    return [Port("browser phones", "127.0.0.1", number, "tcp", "HOTLINE_SIP_WS_PORT")] if settings.web_phones else []


def taken_ports(ports: list[Port]) -> list[Port]:
    """Those that another program holds."""
    return [port for port in ports if not port.is_free()]
