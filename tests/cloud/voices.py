"""Which voice speaks which language. Only those we could want; every other pair is rejected, as a wrong pair would fail."""

VOICES = {
    "cmn-CN": ("Polly.Zhiyu", "Polly.Zhiyu-Neural", "Google.cmn-CN-Standard-A", "Google.cmn-CN-Wavenet-A"),
    "cmn-TW": ("Google.cmn-TW-Standard-A", "Google.cmn-TW-Wavenet-A"),
    "yue-CN": ("Polly.Hiujin-Neural",),
    "yue-HK": ("Google.yue-HK-Standard-A",),
    "en-US": ("man", "woman", "alice", "Polly.Joanna", "Polly.Joanna-Neural", "Polly.Matthew", "Polly.Matthew-Neural"),
    "en-GB": ("man", "woman", "alice", "Polly.Amy", "Polly.Amy-Neural", "Polly.Brian", "Polly.Brian-Neural"),
}

#: Without `language`, a voice speaks its own one.
LANGUAGE_OF = {voice: language for language, voices in reversed(VOICES.items()) for voice in voices}


def fault(language: str | None, voice: str | None) -> tuple[int, str] | None:
    """Code and detail of what is wrong with the pair; None when it is right. Without `voice`, the language's default."""
    if language is not None and language not in VOICES:
        return 13512, f"language {language!r}"
    if voice is None:
        return None
    if voice not in LANGUAGE_OF:
        return 13511, f"voice {voice!r}"
    if language is not None and voice not in VOICES[language]:
        return 13511, f"voice {voice!r} does not speak {language}"
    return None
