"""Names of things at the cloud."""

from uuid import uuid4


def new_sid(kind: str) -> str:
    """Two letters (CA call, RE recording, PN number) and 32 hexadecimal digits."""
    return kind + uuid4().hex
