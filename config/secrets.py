"""Secrets of this instance: from the environment, else generated once into the state directory (0600)."""

import os
import secrets as randomness
from pathlib import Path

from pydantic import SecretStr

from config.settings import Settings

_BYTES = 32
_READ_WRITE_BY_OWNER = 0o600
_ALL_BY_OWNER = 0o700


def secret(settings: Settings, name: str) -> str:
    """The secret `name`: the setting of that name when it is set, else `state_dir/secrets/<name>`, made on first use.

    Several processes may ask at once: all get the same value. Raises OSError when it cannot be written.
    """
    if not name.isidentifier():
        raise ValueError(f"not the name of a secret: {name!r}")
    configured = getattr(settings, name, None)
    if isinstance(configured, SecretStr) and configured.get_secret_value():
        return configured.get_secret_value()
    return _read_or_make(settings.state_dir / "secrets" / name)


def _read_or_make(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=_ALL_BY_OWNER)
        _make(path)
    return path.read_text(encoding="ascii").strip()


def _make(path: Path) -> None:
    """Write a draft, then link it: the link fails when another process was first, and never shows half a file."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{randomness.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _READ_WRITE_BY_OWNER)
    try:
        os.write(handle, randomness.token_urlsafe(_BYTES).encode("ascii") + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()
