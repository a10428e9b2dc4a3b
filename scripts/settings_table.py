"""Prints the settings table of the README, from the settings themselves: `python scripts/settings_table.py`."""

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from config.settings import Settings

HEAD = ("| setting | default | what it is |", "|---|---|---|")


def table() -> str:
    """The Markdown table, one line a setting, in the order of the code."""
    return "\n".join((*HEAD, *(row(name, field) for name, field in Settings.model_fields.items())))


def row(name: str, field: FieldInfo) -> str:
    """One line."""
    description = (field.description or "").replace("|", "\\|")
    return f"| `HOTLINE_{name.upper()}` | {default(field.default)} | {description} |"


def default(value: object) -> str:
    """As it would stand in the environment; nothing for an empty one."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        value = str(value).lower()
    return f"`{value}`" if value not in (None, "") else ""


if __name__ == "__main__":
    print(table())
