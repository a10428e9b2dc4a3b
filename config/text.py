"""Text from outside: made harmless, or refused. It does not escape: that is for whoever sends it on."""

import unicodedata

#: Control, format (zero width, direction overrides), surrogates, private use and unassigned characters.
_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class UnsafeText(ValueError):
    """A value holds control characters and must not leave for AMI, AGI, SIP or a log."""


def clean(value: str, longest: int) -> str:
    """`value` without control characters, white space folded to single blanks, at most `longest` characters."""
    kept = value
    if not value.isprintable():  # else nothing in it is unwanted
        kept = "".join(" " if unicodedata.category(c) in _UNWANTED else c for c in value)
    return " ".join(kept.split())[:longest].rstrip()


def refuse_control(value: str) -> str:
    """`value` itself; raises UnsafeText when it holds CR, LF, NUL or another control character."""
    for position, character in enumerate(value):
        if unicodedata.category(character) in _UNWANTED:
            raise UnsafeText(f"control character U+{ord(character):04X} at position {position}")
    return value
