"""From a prompt to its sentence, and the finite set of prompts whose sound can be made beforehand."""

from collections.abc import Iterator

from ivr.call import Language
from ivr.verbs import Prompt
from ivr.wording import chinese, en, english, zh_hans, zh_hant
from ivr.wording.keys import FIXED, VARYING, Kind

#: A sentence, or the sentence for one and the sentence for more.
Sentence = str | tuple[str, str]
CATALOGUES: dict[Language, dict[str, Sentence]] = {
    "zh-Hans": zh_hans.SENTENCES,
    "zh-Hant": zh_hant.SENTENCES,
    "en": en.SENTENCES,
}
#: Longest name that is spoken, as long as that of a unit may be; what else comes in a longer one is cut.
MOST_NAME = 100


def render(prompt: Prompt, language: Language) -> str:
    """The sentence, its value spoken out. Raises KeyError for a prompt that is not in the wording."""
    sentence = CATALOGUES[language][prompt.key]
    parameter = VARYING.get(prompt.key)
    if parameter is None:
        return _one_of(sentence, 1)
    value = prompt.values[parameter.name]
    return _one_of(sentence, value).format_map({parameter.name: speak(value, parameter.kind, language)})


def _one_of(sentence: Sentence, value: object) -> str:
    if isinstance(sentence, str):
        return sentence
    one, more = sentence
    return one if value == 1 else more


def speak(value: str | float, kind: Kind, language: Language) -> str:
    """One value as it is said in a language. Raises ValueError for what is no such value."""
    if kind == "name":
        return _name(str(value))
    return english.speak(value, kind) if language == "en" else chinese.speak(value, kind, language)


def _name(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:MOST_NAME]


def all_prompts(language: Language) -> Iterator[Prompt]:
    """Every prompt that does not name anybody, most needed first. The names of a session come with the session."""
    del language  # every language has the same prompts
    for key in FIXED:
        yield Prompt(key)
    for key, parameter in VARYING.items():
        for value in parameter.values:
            yield Prompt(key, {parameter.name: value})
