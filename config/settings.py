"""Every setting, read from the environment (prefix HOTLINE_) and `.env`. Numbers have names and a reason here."""

from datetime import time
from functools import lru_cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Language = Literal["zh-Hans", "zh-Hant", "en"]


class Settings(BaseSettings):
    """All settings of all processes. Working defaults for one machine; nothing here is read anywhere else."""

    model_config = SettingsConfigDict(env_prefix="HOTLINE_", env_file=".env", extra="ignore")

    # -- where things are ---------------------------------------------------------------------------------------------
    state_dir: Path = Field(
        Path(".hotline"), description="Everything this instance keeps: data, recordings, secrets, sockets"
    )
    native_dir: Path | None = Field(
        None, description="Programs unpacked from Debian; empty = .hotline/native beside the code"
    )
    http_host: str = Field("127.0.0.1", description="Address the API listens on")
    http_port: int = Field(8000, ge=1, le=65535, description="Port of API and console")
    public_url: str = Field("", description="URL under which clouds and people reach the API; empty = http://host:port")
    tls_cert: Path | None = Field(
        None, description="Certificate (PEM, with its chain): the API answers https and wss by itself; empty = http"
    )
    tls_key: Path | None = Field(None, description="Its private key (PEM, without a passphrase); empty = in TLS_CERT")
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        description="Proxies before the API, addresses or networks, comma separated: their X-Forwarded-For says where people are",
    )
    redis_url: str = Field("", description="Redis or Valkey; empty = an embedded server under the state directory")
    jobs_redis_url: str = Field(
        "", description="Redis of the job queue, one server or Sentinel; empty = REDIS_URL. A Cluster cannot hold the queue"
    )
    redis_port: int = Field(0, ge=0, le=65535, description="Port of the embedded server; 0 = HTTP port + 1000")
    redis_prefix: str = Field("hotline:", description="Put before every key, so that systems can share a server")
    database_url: str = Field(
        "", description="SQLAlchemy URL, SQLite or PostgreSQL; empty = SQLite in the state directory"
    )

    # -- Asterisk -----------------------------------------------------------------------------------------------------
    asterisk: Literal["auto", "external", "off"] = Field(
        "auto", description="auto = start one with `hotline up`; external = connect to AMI_HOST; off = no Asterisk"
    )
    sip_host: str = Field("0.0.0.0", description="Address Asterisk takes SIP on")
    sip_port: int = Field(5060, ge=1, le=65535, description="SIP over UDP and TCP")
    sip_trust: str = Field(
        "127.0.0.0/8", description="Networks whose calls are taken without registration, comma separated"
    )
    rtp_port_first: int = Field(0, ge=0, le=65535, description="First RTP port; 0 = SIP port + 5000")
    rtp_port_count: int = Field(4000, ge=100, le=40000, description="RTP ports; a call on hold takes two, a talk four")
    ami_host: str = Field("127.0.0.1", description="Address of the Asterisk manager interface")
    ami_port: int = Field(0, ge=0, le=65535, description="Port of the manager interface; 0 = SIP port - 22 (5038)")
    ami_user: str = Field("hotline", description="Manager user of the bridge")
    ami_secret: SecretStr = Field(SecretStr(""), description="Its secret; empty = generated into the state directory")
    pbx_node: str = Field(
        "pbx1", pattern=r"^[a-z0-9]{1,12}$", description="Name of this Asterisk node; part of every call id"
    )
    service_number: str = Field("12345", pattern=r"^[0-9]{2,15}$", description="The number citizens dial")
    trunk: str = Field("", description="host[:port] of the SIP trunk to the telephone network; empty = none")
    branch_lines: str = Field(
        "",
        description="Leaders' telephones that this node rings for other nodes: 801=sip:leader@host:port, comma separated; "
        "there, and at a cloud phone, their line is sip:801@this-node",
    )
    operators_line: str = Field(
        "",
        description="SIP URI of the ordinary operators' group; sip:desk@browser = the browser phones of whoever is at a desk; "
        "empty = a message is recorded instead",
    )
    web_phones: int = Field(
        9, ge=0, le=50, description="Browser phones web-1, web-2, ...: a seat's line is `sip:web-1@browser`; 0 = no browser phones"
    )
    desk_phones: int = Field(
        20, ge=0, le=99, description="Browser phones of the desks, one for each person who is at one; 0 = none, as with WEB_PHONES=0"
    )
    sip_ws_port: int = Field(
        0, ge=0, le=65535, description="Asterisk's websocket, on loopback only; 0 = SIP port + 28 (5088)"
    )
    demo_phone: Literal["auto", "on", "off"] = Field(
        "auto", description="/phone, from which anybody calls the hotline; auto = only while we listen on loopback"
    )
    recordings_dir: Path | None = Field(
        None, description="Messages and talks; empty = recordings/ in the state directory"
    )

    # -- the call -----------------------------------------------------------------------------------------------------
    language: Language = Field("zh-Hans", description="Language of prompts and pages when nothing else is chosen")
    timezone: str = Field("Asia/Shanghai", description="IANA zone in which the sessions are held")
    city: str = Field("衡阳市", description="City named in the greeting")
    area_code: str = Field("0734", pattern=r"^0[0-9]{2,3}$", description="Added to local 7 or 8 digit numbers")
    country_code: str = Field("CN", pattern=r"^[A-Z]{2}$", description="Region by which national numbers are read")
    ask_timeout_s: float = Field(6.0, gt=0, description="Silence after the question before it is asked once more")
    announce_every_s: float = Field(45.0, ge=10, description="At most one announcement in this time while waiting")
    message_max_s: float = Field(120.0, gt=0, description="Longest recorded matter")
    message_silence_s: float = Field(8.0, gt=0, description="Silence that ends a recorded matter")
    order_timeout_s: float = Field(
        10.0, gt=0, description="So long a caller is kept for the number of the order; then they hear that it is recorded"
    )
    ring_s: float = Field(20.0, gt=0, description="How long a leader's line rings")
    operator_ring_s: float = Field(30.0, gt=0, description="How long the operators' line rings")
    wrap_up_s: float = Field(15.0, ge=0, description="A seat's pause after a talk")
    handle_time_s: float = Field(
        570.0, gt=0, description="Prior of a call's length with the leader (9.5 minutes, reported sessions)"
    )
    handle_time_weight: float = Field(
        6.0, gt=0, description="So many talks is that prior worth against those of the session"
    )
    patience_s: float = Field(900.0, gt=0, description="Prior of the wait after which a caller gives up, on average")
    patience_weight: float = Field(5.0, gt=0, description="So many callers who gave up is that prior worth")
    keeping: float = Field(0.1, ge=0, description="For one caller who gives up, so many hang up to be called back (prior)")
    discouraged_below: float = Field(
        0.5, ge=0, le=1, description="Chance of being put through below which the work order is recommended first"
    )
    admission_ends_below: float = Field(
        0.0, ge=0, le=1, description="Chance below which nobody new may wait; 0 = who insists may wait till closing time"
    )
    redial_grace_s: float = Field(
        180.0, ge=1, description="A caller who was cut off and redials within this gets the place back"
    )
    burst_calls: int = Field(12, ge=2, description="Calls of one number in BURST_WINDOW_S that may join the line")
    burst_window_s: float = Field(300.0, ge=10, description="Time in which the calls of a number are counted")
    callback_tries: int = Field(2, ge=1, le=5, description="Tries to call back who keeps a place; then a work order")
    callback_ring_s: float = Field(25.0, ge=5, description="How long a caller's phone rings when we call back")
    callback_line: str = Field(
        "", description="SIP URI by which numbers are called back, e.g. sip:{number}@host:port; empty = the trunk"
    )
    call_max_s: float = Field(4 * 3600.0, gt=0, description="Longest call before it goes to the fallback")
    record_talks: bool = Field(True, description="Record the talks with the leader")
    call_records_days: int = Field(
        90, ge=8, description="Asterisk's call records, which hold callers' numbers, are removed after so many days"
    )

    # -- calls about orders -------------------------------------------------------------------------------------------
    urgent_tries: int = Field(3, ge=1, le=20, description="So often a unit's duty number is rung for an urgent order")
    urgent_pause_s: float = Field(60.0, ge=1, description="Pause between these tries; after the last a person takes over")
    follow_up_tries: int = Field(3, ge=1, le=20, description="So often a petitioner is called about a unit's reply")
    follow_up_pause_s: float = Field(4 * 3600.0, ge=1, description="Pause between these tries, within the calling hours")
    follow_up_hours: str = Field(
        "09:00-20:00", description="Calling hours for follow-ups, in TIMEZONE; urgent orders know no hours"
    )
    follow_up_automatic: bool = Field(False, description="Call the petitioner of every order that was replied to")
    placed_carrier: Literal["auto", "twilio", "asterisk"] = Field(
        "auto", description="By what both are called; auto = the cloud phone where there is one, else Asterisk's trunk"
    )
    placed_ring_s: float = Field(30.0, ge=5, le=60, description="How long the phone rings for both")

    # -- leases -------------------------------------------------------------------------------------------------------
    channel_lease_s: float = Field(
        15.0, ge=6, description="A caller whose bridge is silent this long goes to the fallback"
    )
    first_lease_s: float = Field(6.0, ge=2, description="The same for a call that no bridge has taken yet")
    bridge_lease_s: float = Field(
        3.0, ge=1, description="A standby bridge takes over after this; must be well below the channel lease"
    )
    claim_lease_s: float = Field(
        35.0,
        ge=5,
        validate_default=True,
        description="A claimed caller returns to the head after this; must exceed RING_S (each line and the whisper begin it anew)",
    )

    # -- people and secrets -------------------------------------------------------------------------------------------
    admin_token: SecretStr = Field(
        SecretStr(""), description="Fixed bearer token for automation; empty = generated into the state directory"
    )
    data_key: SecretStr = Field(
        SecretStr(""), description="Key of the encrypted columns; empty = generated into the state directory"
    )

    login_idle_s: float = Field(3600.0, ge=60, description="A console login that does nothing for so long is over")
    login_max_s: float = Field(43200.0, ge=300, description="A console login is over after this in any case")
    link_valid_s: float = Field(1800.0, ge=30, description="How long a one-time sign-in link works")
    oidc_issuer: str = Field("", description="OpenID Connect provider; empty = local accounts only")
    oidc_client_id: str = Field("", description="Our client there; redirect to PUBLIC_URL/sign-in/oidc/callback")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="Its secret; empty = a public client with PKCE")
    oidc_claim: str = Field("preferred_username", description="Claim that holds the login of an account made here")

    # -- board --------------------------------------------------------------------------------------------------------
    alert_depth: int = Field(20, ge=1, description="Callers waiting from which the board warns")
    alert_wait_s: float = Field(1200.0, ge=1, description="Longest wait from which the board warns")
    alert_abandon: float = Field(0.3, gt=0, le=1, description="Part of the calls given up from which the board warns")

    # -- cloud phone --------------------------------------------------------------------------------------------------
    twilio_account_sid: str = Field("", description="Account of the cloud phone; empty = no cloud phone")
    twilio_auth_token: SecretStr = Field(SecretStr(""), description="Its token: signs webhooks and REST calls")
    twilio_number: str = Field("", description="Our number at the cloud, E.164")
    twilio_api_url: str = Field("", description="REST base of a compatible cloud; empty = Twilio")
    twilio_fallback_url: str = Field(
        "", description="Where the cloud turns when we do not answer, for example at a standby; empty = /twilio/fallback here"
    )
    twilio_operators_line: str = Field(
        "", description="Ordinary operators as the cloud reaches them, number or SIP URI; empty = OPERATORS_LINE"
    )
    twilio_sip_networks: str = Field(
        "", description="Networks from which the cloud may ring BRANCH_LINES by SIP, comma separated; empty = none"
    )
    twilio_sip_address: str = Field(
        "", description="host[:port] at which the cloud reaches our Asterisk: lines there are rung with a password"
    )
    twilio_sip_secret: SecretStr = Field(
        SecretStr(""), description="That password, 8 to 100 letters, digits, - and _; empty = generated into the state directory"
    )
    twilio_calls_per_s: float = Field(1.0, gt=0, description="Calls a second the account may place")
    twilio_hold_s: float = Field(30.0, ge=1, le=120, description="Hold music between two signs of life of a caller")
    twilio_silence_s: float = Field(75.0, ge=2, description="A caller silent this long is asked for at the cloud")
    twilio_recording_wait_s: float = Field(
        900.0, ge=1, description="A recording that has not come from the cloud by then is reported missing"
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged")

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        words = [word.strip() for word in value.split(",") if word.strip()]
        return ",".join(str(ip_network(word, strict=False)) if "/" in word else str(ip_address(word)) for word in words)

    @field_validator("claim_lease_s")
    @classmethod
    def _outlasts_one_line(cls, value: float, info: ValidationInfo) -> float:
        ring_s = info.data.get("ring_s", 0.0)
        if value <= ring_s:
            raise ValueError(f"must exceed HOTLINE_RING_S ({ring_s:g}): else the next caller is offered while the line rings")
        return value

    @field_validator("follow_up_hours")
    @classmethod
    def _hours(cls, value: str) -> str:
        start, _, end = (part.strip() for part in value.partition("-"))
        if not time.fromisoformat(start) < time.fromisoformat(end):
            raise ValueError("calling hours are two times of one day: 09:00-20:00")
        return f"{start}-{end}"

    @field_validator("state_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @property
    def calling_hours(self) -> tuple[time, time]:
        """From when until when a petitioner may be called."""
        start, _, end = self.follow_up_hours.partition("-")
        return time.fromisoformat(start), time.fromisoformat(end)

    @property
    def places_calls_by(self) -> Literal["", "twilio", "asterisk"]:
        """The carrier by which units and petitioners are called; empty = there is none."""
        if self.twilio_account_sid and self.twilio_number and self.placed_carrier != "asterisk":
            return "twilio"
        reaches_numbers = bool(self.asterisk != "off" and (self.trunk or self.callback_line))
        return "asterisk" if reaches_numbers and self.placed_carrier != "twilio" else ""

    @property
    def effective_ami_port(self) -> int:
        return self.ami_port or self.sip_port - 22

    @property
    def effective_sip_ws_port(self) -> int:
        return self.sip_ws_port or min(self.sip_port + 28, 65535)

    @property
    def has_demo_phone(self) -> bool:
        """Anybody may call from the page /phone."""
        loopback = self.http_host == "localhost" or self.http_host.startswith("127.") or self.http_host == "::1"
        wanted = self.demo_phone == "on" or (self.demo_phone == "auto" and loopback and not self.public_url)
        return wanted and self.web_phones > 0 and self.asterisk != "off"

    @property
    def has_desk_phones(self) -> bool:
        """Whoever is at a desk has a browser phone there."""
        return self.effective_desk_phones > 0 and self.asterisk != "off"

    @property
    def effective_desk_phones(self) -> int:
        return self.desk_phones if self.web_phones else 0

    @property
    def effective_redis_port(self) -> int:
        return self.redis_port or self.http_port + 1000

    @property
    def effective_redis_url(self) -> str:
        return self.redis_url or f"redis://127.0.0.1:{self.effective_redis_port}/0"

    @property
    def effective_jobs_redis_url(self) -> str:
        return self.jobs_redis_url or self.effective_redis_url

    @property
    def effective_database_url(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{self.state_dir / 'hotline.db'}"

    @property
    def effective_rtp_first(self) -> int:
        return self.rtp_port_first or min(self.sip_port + 5000, 60000)

    @property
    def effective_public_url(self) -> str:
        return self.public_url.rstrip("/") or f"{self.scheme}://{self.http_host}:{self.http_port}"

    @property
    def scheme(self) -> str:
        """What the API itself speaks; before a proxy PUBLIC_URL may say another."""
        return "https" if self.tls_cert else "http"

    @property
    def effective_twilio_operators_line(self) -> str:
        """Browsers are no phones that a cloud could dial."""
        own = "" if self.operators_line.endswith("@browser") else self.operators_line
        return self.twilio_operators_line or own

    @property
    def recordings(self) -> Path:
        return self.recordings_dir or self.state_dir / "recordings"


@lru_cache
def load_settings() -> Settings:
    """The settings of this process, read once. Raises pydantic.ValidationError that names the variable."""
    return Settings()
