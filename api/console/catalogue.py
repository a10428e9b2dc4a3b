"""What the pages say, by language: one file each in `catalogue/`, all with the same keys."""

import json
from functools import lru_cache
from pathlib import Path
from typing import get_args

from config.settings import Language

FOLDER = Path(__file__).parent / "catalogue"
LANGUAGES: tuple[Language, ...] = get_args(Language)
#: As each language calls itself.
NAMES: dict[Language, str] = {"zh-Hans": "简体", "zh-Hant": "繁體", "en": "English"}


@lru_cache
def sentences(language: Language) -> dict[str, str]:
    """Every sentence of a language."""
    read: dict[str, str] = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return read


class Words:
    """The sentences of one language, as templates ask for them: `t('key', count=3)`."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._sentences = sentences(language)

    def __call__(self, key: str, **values: object) -> str:
        """The sentence. Raises KeyError for one that is in no catalogue."""
        found = self._sentences[key]
        return found.format(**values) if values else found

    def word(self, kind: str, value: str) -> str:
        """The word for a state or another value of ours; the value itself when there is none."""
        return self._sentences.get(f"{kind}.{value}", value)

    def values_of(self, kind: str) -> list[str]:
        """Every value that there is a word for."""
        return [key.removeprefix(f"{kind}.") for key in self._sentences if key.startswith(f"{kind}.")]

    def knows(self, key: str) -> bool:
        return key in self._sentences
