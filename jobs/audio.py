"""WAV files of recordings: length, format, checksum; a header that a crash left unfinished is repaired. Nothing else."""

import hashlib
import struct
from pathlib import Path

from msgspec import Struct

_RIFF_HEADER = 12
_CHUNK_HEADER = 8
_FORMATS = {1: "pcm16", 6: "alaw", 7: "ulaw", 49: "gsm"}
_BLOCK = 1 << 20


class Unreadable(ValueError):
    """This file is no WAV file, or its header is damaged beyond what can be repaired."""


class Audio(Struct, frozen=True):
    """What a WAV file holds."""

    duration_s: float
    bytes: int
    sha256: str
    #: `wav pcm16 8000 Hz mono`
    format: str
    repaired: bool


class _Header(Struct, frozen=True):
    encoding: int
    channels: int
    rate: int
    bytes_per_second: int
    data_at: int
    data_length: int


def examine(path: Path) -> Audio:
    """Read; repair when the lengths in the header are not those of the file (its writer died). Raises Unreadable, OSError."""
    size = path.stat().st_size
    header = _read_header(path)
    held = size - header.data_at
    repaired = header.data_length != held and not _something_follows(header, held)
    if repaired:
        _write_lengths(path, header, size)
    length = min(header.data_length, held) if not repaired else held
    return Audio(
        duration_s=round(length / header.bytes_per_second, 3),
        bytes=size,
        sha256=_sha256(path),
        format=_describe(header),
        repaired=repaired,
    )


def is_finished(path: Path) -> bool:
    """The lengths in the header are those of the file: whoever wrote it has closed it. Raises OSError."""
    try:
        header = _read_header(path)
    except Unreadable:
        return False
    held = path.stat().st_size - header.data_at
    return held > 0 and (header.data_length == held or _something_follows(header, held))


def _something_follows(header: _Header, held: int) -> bool:
    """A finished file may have further chunks (or a pad byte) behind its sound; an unfinished one says 0 or too much."""
    return 0 < header.data_length < held


def _read_header(path: Path) -> _Header:
    with path.open("rb") as file:
        if file.read(_RIFF_HEADER)[:4] != b"RIFF":
            raise Unreadable("not a WAV file")
        fields: tuple[int, int, int, int] | None = None
        while chunk := file.read(_CHUNK_HEADER):
            if len(chunk) < _CHUNK_HEADER:
                break
            name, length = chunk[:4], int.from_bytes(chunk[4:], "little")
            if name == b"data" and fields is not None and fields[3] > 0:
                return _Header(*fields, data_at=file.tell(), data_length=length)
            body = file.read(length + length % 2)
            if name == b"fmt " and len(body) >= 16:
                fields = struct.unpack("<HHII", body[:12])
    raise Unreadable("its header is damaged")


def _write_lengths(path: Path, header: _Header, size: int) -> None:
    with path.open("r+b") as file:
        file.seek(4)
        file.write(struct.pack("<I", size - 8))
        file.seek(header.data_at - 4)
        file.write(struct.pack("<I", size - header.data_at))


def _describe(header: _Header) -> str:
    voices = {1: "mono", 2: "stereo"}.get(header.channels, f"{header.channels} channels")
    return f"wav {_FORMATS.get(header.encoding, 'other')} {header.rate} Hz {voices}"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
