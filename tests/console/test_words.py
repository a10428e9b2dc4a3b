"""The catalogues say the same things in every language, and the pages weigh little."""

import re
from string import Formatter

import pytest

from api.console.assets import HERE, Assets
from api.console.catalogue import LANGUAGES, sentences
from config.settings import Language

#: Words that the templates build from a state: `t('nav.' ~ key)`.
_LITERAL = re.compile(r"""\bt\('([a-z_0-9.]+)'\s*[,)]""")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_is_in_every_language(language: Language) -> None:
    assert set(sentences(language)) == set(sentences("zh-Hans"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_takes_the_same_values(language: Language) -> None:
    for key, sentence in sentences(language).items():
        assert _values(sentence) == _values(sentences("zh-Hans")[key]), key
        assert sentence.strip(), key


def test_what_the_templates_ask_for_is_there() -> None:
    for template in (HERE / "templates").glob("*.html"):
        for key in _LITERAL.findall(template.read_text(encoding="utf-8")):
            assert key in sentences("zh-Hans"), f"{template.name}: {key}"


def test_english_has_no_chinese_and_the_chinese_scripts_differ() -> None:
    assert not [text for text in sentences("en").values() if re.search(r"[\u3400-\u9fff]", text)]
    assert sentences("zh-Hant")["board.abandoned"] == "放棄率"


def test_all_scripts_together_weigh_less_than_400_kb() -> None:
    weight = Assets().weight(".js")
    assert 100_000 < weight < 400_000, "is everything collected? run `make setup`"


def test_no_template_has_a_style_or_script_of_its_own() -> None:
    for template in (HERE / "templates").glob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert not re.search(r"""\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\ssrc=)|\|\s*safe""", text), template.name


def _values(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}
