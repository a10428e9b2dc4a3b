"""The telephone company as a second real Asterisk: the other end of the trunk, with mobiles, a voicemail and citizens behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from config.settings import Settings
from telephony.asterisk.install import find_asterisk
from telephony.asterisk.pbx_config import render
from telephony.asterisk.server import AsteriskServer
from telephony.demo.scenarios import write_tone
from tests.phones.ports import free_block

VOICEMAIL_HZ = 650.0
_PORTS = 110
_DIALPLAN = """[general]
static = yes
writeprotect = yes

[incoming]
include => network
[trunk]
include => network

[network]
exten => {service},1,Dial(PJSIP/{service}@trunk,60)
 same => n,Hangup(${{HANGUPCAUSE}})
exten => {voicemail},1,Answer()
 same => n,Playback({words})
 same => n,Wait(60)
{mobiles}
"""
_MOBILE = """exten => {number},1,Dial(PJSIP/line/{address},60)
 same => n,Hangup(${{HANGUPCAUSE}})
"""


class Carrier:
    """`address` is what the hotline has as HOTLINE_TRUNK. A citizen's phone dials `service`."""

    def __init__(self, host: str) -> None:
        self.host, self.port = host, free_block(_PORTS)

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def service(self) -> str:
        return f"sip:12345@{self.address}"

    @asynccontextmanager
    async def running(self, folder: Path, hotline: str, mobiles: dict[str, str], voicemail: str) -> AsyncIterator[None]:
        """`hotline`: host:port at the other end of the trunk. `mobiles`: number -> SIP address of the phone."""
        settings = Settings(
            state_dir=folder, sip_host=self.host, sip_port=self.port, ami_port=self.port + 1, sip_ws_port=self.port + 105,
            rtp_port_first=self.port + 2, rtp_port_count=100, trunk=hotline, _env_file=None,
        )  # fmt: skip
        program = find_asterisk(settings)
        if program is None:
            raise RuntimeError("Asterisk is missing: run `make setup`")
        files = render(settings, folder / "asterisk", program)
        words = write_tone(files.sounds / "voicemail.wav", VOICEMAIL_HZ, 20.0).with_suffix("")
        phones = "".join(_MOBILE.format(number=number, address=address) for number, address in mobiles.items())
        plan = _DIALPLAN.format(service=settings.service_number, voicemail=voicemail, words=words, mobiles=phones)
        (files.etc / "extensions.conf").write_text(plan)
        # A telephone company says who calls.
        peers = files.etc / "pjsip.conf"
        peers.write_text(peers.read_text().replace(f"from_user = {settings.service_number}\n", ""))
        server = AsteriskServer(program, files)
        await server.start()
        try:
            yield
        finally:
            await server.stop()
