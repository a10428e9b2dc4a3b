"""The signature behind real proxies: nginx with deploy/nginx.conf, alone and two in a row, with TLS, under a path, with a port and
without; and one that says something else of where the request came from and went to."""

import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from config.children import end_with_parent
from config.native import find_program
from config.settings import Settings
from tests.certificates import self_signed
from tests.cloud.signature import sign
from tests.integration.twilio.cloud_phone import CloudPhone
from tests.integration.twilio.town import ACCOUNT, NUMBER, TOKEN, town
from tests.servers import free_port
from tests.stories.calls import STORIES
from tests.stories.story import same
from tests.waiting import until

OURS = Path(__file__).parents[3] / "deploy" / "nginx.conf"
#: A whole configuration around the servers; everything it writes is in its own folder.
AROUND = """
daemon off; master_process off; error_log stderr warn; pid nginx.pid;
events {{}}
http {{
    access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    {servers}
}}
"""
#: A proxy between the two that knows nothing of ours, and tells what is not so, in every header that is used for it.
LIAR = """
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass http://127.0.0.1:{behind};
        proxy_set_header Host evil.example.com:81;
        proxy_set_header X-Forwarded-Host evil.example.com;
        proxy_set_header X-Forwarded-Port 81;
        proxy_set_header X-Forwarded-Proto gopher;
        proxy_set_header X-Forwarded-For "203.0.113.7, 10.0.0.2";
        proxy_set_header X-Forwarded-Prefix /elsewhere;
        proxy_set_header X-Original-URL /twilio/status;
        proxy_set_header Forwarded "for=203.0.113.7;host=evil.example.com;proto=http";
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Chain:
    """Where the outer proxy listens, and what it is known by."""

    port: int
    public_url: str
    tls: bool = False
    #: Path under which the hotline is known outside; the outer proxy takes it away.
    path: str = ""
    liar: bool = False
    two: bool = False


def _server(folder: Path, port: int, behind: int, *, tls: bool, path: str) -> str:
    """deploy/nginx.conf with the places of this test in it."""
    text = OURS.read_text().replace("listen 443 ssl", f"listen 127.0.0.1:{port}{' ssl' if tls else ''}")
    text = text.replace("proxy_pass http://127.0.0.1:8000;", f"proxy_pass http://127.0.0.1:{behind}{'/' if path else ''};")
    text = text.replace("location / {", f"location {path}/ {{")
    for file, ours in (("hotline.pem", "certificate.pem"), ("hotline.key", "key.pem")):
        text = text.replace(f"/etc/ssl/{file}", str(folder / ours))
    assert str(behind) in text
    return text if tls else re.sub(r"ssl_certificate.*", "", text)


def _servers(folder: Path, chain: Chain, api: int) -> str:
    inner = free_port()
    outer = _server(folder, chain.port, inner if chain.two else api, tls=chain.tls, path=chain.path)
    if not chain.two:
        return outer
    if chain.liar:
        return outer + LIAR.format(port=inner, behind=api)
    return outer + _server(folder, inner, api, tls=False, path="").partition("}\n")[2]  # the map is there already


@contextmanager
def proxies(folder: Path, chain: Chain, api: int) -> Iterator[None]:
    """nginx, for this chain, before the api on this port."""
    program = find_program("nginx")
    assert program is not None, "scripts/setup.sh dev fetches it"
    conf = folder / "nginx.conf"
    conf.write_text(AROUND.format(servers=_servers(folder, chain, api)))
    argv = [*program.argv, "-p", str(folder), "-c", str(conf), "-e", "stderr"]
    nginx = subprocess.Popen(argv, env=program.environment(), preexec_fn=end_with_parent)  # noqa: PLW1509
    try:
        yield
        assert nginx.poll() is None
    finally:
        nginx.terminate()
        nginx.wait(15)


@pytest.fixture
def trusting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The cloud trusts the certificate of this test."""
    certificate, _ = self_signed(tmp_path)
    context = ssl.create_default_context(cafile=str(certificate))
    context.check_hostname = False
    monkeypatch.setattr("tests.cloud.lines._trusted", lambda: context)
    return context


async def _answers(chain: Chain, trusting: ssl.SSLContext, signed_url: str) -> httpx.Response:
    """A call arrives by a webhook that was signed for this URL, at the outer proxy."""
    form = {
        "CallSid": "CA" + "7" * 32, "AccountSid": ACCOUNT, "From": "+8613812345678", "To": NUMBER, "CallStatus": "ringing",
    }  # fmt: skip
    outside = f"{'https' if chain.tls else 'http'}://127.0.0.1:{chain.port}{chain.path}/twilio/voice"
    signature = sign(TOKEN, f"{signed_url}/twilio/voice", form)
    headers = {"X-Twilio-Signature": signature, "Host": httpx.URL(signed_url).netloc.decode()}
    async with httpx.AsyncClient(trust_env=False, verify=trusting, timeout=30) as client:

        async def served() -> Any:
            try:
                return [await client.post(outside, data=form, headers=headers)]
            except httpx.ConnectError:
                return []  # nginx is starting

        answer: httpx.Response = (await until(served, 30.0, "the proxy"))[0]
    return answer


def _chain(name: str) -> Chain:
    port = free_port()
    return {
        "one, with a port": Chain(port, f"http://127.0.0.1:{port}"),
        "two, TLS outside, under a path": Chain(port, f"https://127.0.0.1:{port}/hotline", tls=True, path="/hotline", two=True),
        "two, the inner one lies": Chain(port, f"https://127.0.0.1:{port}", tls=True, liar=True, two=True),
    }[name]


@pytest.mark.parametrize(
    "name",
    ["one, with a port", "two, TLS outside, under a path", "two, the inner one lies"],
    ids=lambda name: name.replace(" ", "_"),
)
async def test_a_call_behind_proxies(
    name: str, settings: Settings, redis: Redis, tmp_path: Path, trusting: ssl.SSLContext
) -> None:
    chain, story = _chain(name), next(story for story in STORIES if story.name == "declines")
    async with town(settings, public_url=chain.public_url) as here:
        with proxies(tmp_path, chain, here.settings.http_port):
            base = f"{chain.public_url}/twilio"
            here.cloud.own(NUMBER, voice_url=f"{base}/voice", status_url=f"{base}/status", fallback_url=f"{base}/fallback")
            assert (await _answers(chain, trusting, "https://evil.example.com")).status_code == 403
            same(story, await CloudPhone(here).play(story))
            assert {sent.request.url.partition("/twilio/")[0] for sent in here.cloud.sent} == {chain.public_url}
            await here.cloud.close()  # while its proxies are there


@pytest.mark.parametrize(("public", "signed"), [("", ""), ("", ":443"), (":443", "")])
async def test_an_address_without_a_port_or_with_that_of_its_scheme(
    public: str, signed: str, settings: Settings, redis: Redis, tmp_path: Path, trusting: ssl.SSLContext
) -> None:
    host = "https://hotline.example.gov.cn"
    chain = Chain(free_port(), host + public, tls=True, two=True)
    async with town(settings, public_url=chain.public_url) as here:
        with proxies(tmp_path, chain, here.settings.http_port):
            answer = await _answers(chain, trusting, host + signed)
            assert (answer.status_code, f'"{chain.public_url}/twilio/' in answer.text) == (200, True)
            assert (await _answers(chain, trusting, f"{host}:8443")).status_code == 403
