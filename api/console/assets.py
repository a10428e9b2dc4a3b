"""Scripts, styles and sounds of the pages, served under names that hold a hash of their content, so browsers keep them for ever.

`static/` is ours; `vendor/` is copied from npm's packages at set-up (collect.py) and not in the repository.
"""

import gzip
from hashlib import sha256
from pathlib import Path

import structlog
from msgspec import Struct

HERE = Path(__file__).parent
FOLDERS = (HERE / "vendor", HERE / "static")
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
}
#: Shorter than a network packet: not worth compressing.
_WORTH = 1000

log = structlog.get_logger("api.console")


class Asset(Struct, frozen=True):
    """One file. `packed` is empty when packing gains nothing."""

    name: str
    media_type: str
    body: bytes
    packed: bytes


class Assets:
    """Read once at start; a few hundred kilobytes."""

    def __init__(self, folders: tuple[Path, ...] = FOLDERS) -> None:
        self._by_plain: dict[str, str] = {}
        self._files: dict[str, Asset] = {}
        for folder in folders:
            if not folder.is_dir():
                log.error("files of the pages are missing: run `make setup`", folder=folder.name)
            for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
                if path.suffix in TYPES:
                    self._take(path)

    def _take(self, path: Path) -> None:
        body = path.read_bytes()
        name = f"{path.stem}.{sha256(body).hexdigest()[:12]}{path.suffix}"
        packed = gzip.compress(body, 9, mtime=0) if len(body) > _WORTH else b""
        self._by_plain[path.name] = name
        self._files[name] = Asset(name, TYPES[path.suffix], body, packed)

    def url(self, plain: str) -> str:
        """Address of `console.css`; of what is missing too, so that the page is there without it."""
        return f"/static/{self._by_plain.get(plain, plain)}"

    def find(self, name: str) -> Asset | None:
        """By the name with the hash."""
        return self._files.get(name)

    def weight(self, suffix: str) -> int:
        """Bytes of all files of a kind, unpacked."""
        return sum(len(asset.body) for name, asset in self._files.items() if name.endswith(suffix))
