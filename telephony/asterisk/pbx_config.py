"""Asterisk's whole configuration, rendered from the settings into one folder. Starts nothing and talks to nothing."""

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path

import phonenumbers
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from config.cloud_sip import CLOUD_USER, cloud_password
from config.secrets import secret
from config.settings import Settings
from telephony.asterisk.cdr import COLUMNS, EPOCH_COLUMNS
from telephony.asterisk.dial_string import dial_string
from telephony.asterisk.install import AsteriskProgram
from telephony.asterisk.web_phone import HANDSET_HEADER, citizens_handset, desk_handsets, handsets, rings_desks

TEMPLATES = Path(__file__).resolve().parents[2] / "config" / "asterisk"

#: A missing one of these costs a feature only.
MODULES = (
    "res_format_attr_opus", "res_pjsip_diversion", "res_pjsip_nat", "res_pjsip_acl", "res_pjsip_empty_info",
    "res_pjsip_logger", "res_pjsip_outbound_authenticator_digest", "bridge_native_rtp", "res_cdrel_custom",
    "res_http_websocket", "res_pjsip_transport_websocket", "res_pjsip_registrar", "res_srtp", "codec_opus_open_source",
)  # fmt: skip
#: Without one of these Asterisk must not run: no authentication, no lease, no records, or a caller who falls into silence
#: because the dialplan names an application that is not there.
REQUIRED = (
    "res_timing_timerfd", "res_pjproject", "res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb",
    "codec_ulaw", "codec_alaw", "codec_a_mu", "codec_resample", "format_wav", "format_pcm",
    "func_callerid", "func_cdr", "func_channel", "func_env", "func_logic", "func_strings", "func_timeout",
    "res_musiconhold", "res_speech", "res_agi", "bridge_simple", "bridge_softmix", "app_dial", "app_exec",
    "app_chanspy", "app_bridgeaddchan",
    "app_mixmonitor", "app_playback", "app_read", "app_record", "app_stack", "app_controlplayback", "app_userevent",
    "res_rtp_asterisk", "res_pjsip", "res_pjsip_authenticator_digest", "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_session", "res_pjsip_sdp_rtp", "res_pjsip_caller_id", "res_pjsip_dtmf_info", "res_pjsip_rfc3326",
    "res_pjsip_pubsub", "chan_pjsip", "cdr_custom", "pbx_config",
)  # fmt: skip
#: What the bridge is told. Everything else (registrations, RTCP, test events) never leaves Asterisk.
EVENTS = (
    "FullyBooted", "Shutdown", "AsyncAGIStart", "AsyncAGIExec", "AsyncAGIEnd", "DTMFEnd", "Newchannel", "HangupRequest",
    "SoftHangupRequest", "Hangup", "DialBegin", "DialState", "DialEnd", "BridgeEnter", "BridgeLeave",
    "OriginateResponse", "UserEvent",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PbxFiles:
    """Where everything of one Asterisk is. All folders exist and belong to us alone."""

    #: For `asterisk -C`.
    conf: Path
    etc: Path
    log: Path
    run: Path
    #: sorry.wav, leave_message.wav, thank_you.wav, beep.wav: what a caller hears when no bridge is there.
    sounds: Path
    #: Hold music, 8 kHz mono wav.
    moh: Path
    #: Messages recorded without a bridge: `<call id>.wav`.
    spool: Path
    recordings: Path
    #: The call records, see telephony.asterisk.cdr.
    cdr: Path
    #: Where it takes calls, over UDP and TCP.
    sip: tuple[str, int]
    #: Where it takes the bridge's connection.
    ami: tuple[str, int]
    #: Where it takes browsers' SIP from our own server; None without browser phones.
    websocket: tuple[str, int] | None


def pbx_files(settings: Settings, directory: Path) -> PbxFiles:
    """The places below `directory` (`state_dir/asterisk`), whether or not they exist."""
    return PbxFiles(
        conf=directory / "etc" / "asterisk.conf",
        etc=directory / "etc",
        log=directory / "log",
        run=directory / "run",
        sounds=directory / "sounds",
        moh=settings.state_dir / "moh",
        spool=settings.state_dir / "spool",
        recordings=settings.recordings,
        cdr=directory / "log" / "cdr-custom" / "hotline.csv",
        sip=(settings.sip_host, settings.sip_port),
        ami=("127.0.0.1", settings.effective_ami_port),
        websocket=("127.0.0.1", settings.effective_sip_ws_port) if settings.web_phones else None,
    )


def render(settings: Settings, directory: Path, program: AsteriskProgram) -> PbxFiles:
    """Writes every configuration file (0600) and makes every folder (0700). Raises ValueError for an impossible setting."""
    files = pbx_files(settings, directory)
    places = (files.etc, files.log, files.cdr.parent, files.run, files.sounds, files.moh, files.spool, files.recordings)
    for folder in (directory, *places, directory / "lib", directory / "work"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    values = _values(settings, files, directory, program)
    environment = _environment()
    for template in sorted(TEMPLATES.glob("*.j2")):
        text = environment.get_template(template.name).render(values)
        _write(files.etc / template.stem, text)
    return files


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - no HTML; `_plain` refuses what would be syntax here
        finalize=_plain,
    )
    environment.filters["dial"] = dial_string
    return environment


def _plain(value: object) -> str:
    """A value as it may stand in a line of Asterisk's configuration. Raises ValueError for what would be syntax."""
    text = str(value)
    if any(ord(character) < 32 for character in text):
        raise ValueError("a setting for Asterisk holds a control character")
    return text.replace(";", "\\;")


def _values(settings: Settings, files: PbxFiles, directory: Path, program: AsteriskProgram) -> dict[str, object]:
    first = settings.effective_rtp_first
    to_desks = rings_desks(settings.operators_line, settings)
    return {
        "etc": files.etc,
        "log": files.log,
        "run": files.run,
        "lib": directory / "lib",
        "work": directory / "work",
        "moh": files.moh,
        "sounds": files.sounds,
        "spool": files.spool,
        "recordings": files.recordings,
        "modules_dir": program.module_dir,
        "data_dir": program.data_dir,
        "node": settings.pbx_node,
        "modules": [name for name in MODULES if (program.module_dir / f"{name}.so").exists()],
        "required": REQUIRED,
        "events": EVENTS,
        "columns": COLUMNS,
        "epochs": EPOCH_COLUMNS,
        "sip_host": settings.sip_host,
        "sip_port": settings.sip_port,
        "trusted": trusted_networks(settings),
        "cloud_networks": cloud_networks(settings),
        "cloud_user": CLOUD_USER,
        "cloud_secret": cloud_password(settings) if settings.twilio_sip_networks else "",
        "trunk": settings.trunk,
        "dialled": dialled_numbers(settings),
        "branches": branches(settings),
        "service_number": settings.service_number,
        "operators": "" if to_desks else settings.operators_line,
        "desks": settings.effective_desk_phones if to_desks else 0,
        "ring_s": round(settings.ring_s),
        "operator_ring_s": round(settings.operator_ring_s),
        "first_lease_s": settings.first_lease_s,
        "channel_lease_s": settings.channel_lease_s,
        "message_max_s": round(settings.message_max_s),
        "message_silence_s": round(settings.message_silence_s),
        "sound_language": settings.language.replace("-", "_"),
        "ami_port": settings.effective_ami_port,
        "ami_user": settings.ami_user,
        "ami_secret": settings.ami_secret.get_secret_value() or secret(settings, "ami_secret"),
        "originate_secret": secret(settings, "ami_originate"),
        "pass_header": HANDSET_HEADER,
        "handsets": (*handsets(settings), *desk_handsets(settings)),
        "citizen": citizens_handset(settings),
        "sip_ws_port": settings.effective_sip_ws_port,
        "rtp_first": first,
        "rtp_last": min(first + settings.rtp_port_count - 1, 65535),
    }


def trusted_networks(settings: Settings) -> tuple[str, ...]:
    """The networks of SIP_TRUST. Raises ValueError for what is none."""
    return tuple(str(network) for network in _networks(settings.sip_trust))


def cloud_networks(settings: Settings) -> tuple[str, ...]:
    """Those of the cloud phone. Raises ValueError for what is none, and for one of which calls are taken without a password."""
    found, trusted = _networks(settings.twilio_sip_networks), _networks(settings.sip_trust)
    if any(one.overlaps(other) for one in found for other in trusted if one.version == other.version):
        raise ValueError("HOTLINE_TWILIO_SIP_NETWORKS and HOTLINE_SIP_TRUST have addresses in common")
    if any(_holds(one, settings.trunk.partition(":")[0]) for one in found):
        raise ValueError("HOTLINE_TRUNK is among HOTLINE_TWILIO_SIP_NETWORKS")
    return tuple(str(network) for network in found)


def _holds(network: ipaddress.IPv4Network | ipaddress.IPv6Network, host: str) -> bool:
    """False for a name: nobody here knows its address."""
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:
        return False


def _networks(setting: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(word.strip(), strict=False) for word in setting.split(",") if word.strip()]


def branches(settings: Settings) -> dict[str, str]:
    """BRANCH_LINES by number. Raises ValueError, and CarrierRefused for what is no line."""
    found = {}
    for word in filter(None, (part.strip() for part in settings.branch_lines.split(","))):
        number, _, line = word.partition("=")
        if not re.fullmatch(r"[0-9]{2,15}", number) or number in dialled_numbers(settings):
            raise ValueError("HOTLINE_BRANCH_LINES: a number has 2 to 15 figures and is not the service number")
        dial_string(line)
        found[number] = line
    return found


def dialled_numbers(settings: Settings) -> tuple[str, ...]:
    """The service number in the forms in which phones and trunks bring it: 12345, 073412345, 8673412345, ..."""
    number, area = settings.service_number, settings.area_code
    country = str(phonenumbers.country_code_for_region(settings.country_code))
    national = area.removeprefix("0") + number
    forms = (number, area + number, country + national, f"+{country}{national}", f"00{country}{national}", f"+{number}")
    return tuple(dict.fromkeys(forms))


def _write(path: Path, text: str) -> None:
    """Replaces the file at once, readable by us alone from its first byte on."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
