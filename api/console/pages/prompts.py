"""Prompts `/prompts`: what callers hear, with the text beside it; listen, replace by a recording, take the recording away."""

import asyncio
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, UploadFile
from msgspec import Struct
from starlette.responses import FileResponse, Response

from api.console.catalogue import LANGUAGES, NAMES
from api.console.visit import PageRoute, Visit, visit
from api.problems import Problem
from config.settings import Language
from ivr.verbs import Prompt
from ivr.wording import render
from telephony.prompts import LARGEST_RECORDED, Prompts
from telephony.sound import UnreadableSound, read_wav, speech, write_wav

router = APIRouter(route_class=PageRoute, prefix="/prompts", include_in_schema=False)
#: Nobody listens to a longer sentence.
LONGEST_S = 60
#: Sentences in one list; a search finds the others.
LISTED = 80
_PAUSE_S = 0.1
#: A browser that is told to stop after a minute records a little more.
_SLACK_S = 1

Directing = Annotated[Visit, Depends(visit("prompts"))]
Voice = Annotated[str, Query(max_length=10)]
Key = Annotated[str, Query(max_length=60)]
Posted = Annotated[str, Form(max_length=60)]


class Line(Struct, frozen=True):
    """One sentence as the page shows it."""

    key: str
    value: str
    text: str
    recorded: bool


@router.get("")
async def prompts_page(seen: Directing, voice: Voice = "", q: Annotated[str, Query(max_length=40)] = "") -> Response:
    """Sentences of one language; those in which something varies are found by searching."""
    language = _language(seen, voice)
    prompts = Prompts(seen.parts.core.settings)
    lines = await asyncio.to_thread(_lines, prompts, language, q.strip())
    return seen.show("prompts.html", lines=lines[:LISTED], total=len(lines), voice=language, q=q, voices=NAMES)


@router.get("/sound")
async def play_prompt(seen: Directing, key: Key, voice: Voice = "", value: Key = "") -> Response:
    """The sound as callers hear it."""
    language, prompts = _language(seen, voice), Prompts(seen.parts.core.settings)
    [path] = await prompts.audio([_find(prompts, key, value)], language)
    return FileResponse(path, media_type="audio/wav", headers={"Cache-Control": "private, no-cache"})


@router.post("/replace")
async def replace_prompt(
    seen: Directing, file: Annotated[UploadFile, File()], key: Posted, voice: Posted, value: Posted = ""
) -> Response:
    """A recording in place of the synthetic voice: checked, converted, as loud as the others, heard from the next call on."""
    language, prompts = _language(seen, voice), Prompts(seen.parts.core.settings)
    prompt = _find(prompts, key, value)
    data = await file.read(LARGEST_RECORDED + 1)
    try:
        await asyncio.to_thread(_keep, data, _place(prompts, prompt, language))
    except UnreadableSound as error:
        raise Problem("invalid_sound") from error
    await prompts.audio([prompt], language)
    return seen.go(f"/prompts?voice={language}&q={key}", "prompt_replaced")


@router.post("/restore")
async def restore_prompt(seen: Directing, key: Posted, voice: Posted, value: Posted = "") -> Response:
    """The synthetic voice speaks again."""
    language, prompts = _language(seen, voice), Prompts(seen.parts.core.settings)
    place = _place(prompts, _find(prompts, key, value), language)
    await asyncio.to_thread(place.unlink, missing_ok=True)
    return seen.go(f"/prompts?voice={language}&q={key}", "prompt_restored")


def _keep(data: bytes, place: Path) -> None:
    """Raises UnreadableSound."""
    if len(data) > LARGEST_RECORDED:
        raise UnreadableSound("larger than 5 MB")
    write_wav(place, speech(read_wav(data, LONGEST_S + _SLACK_S), _PAUSE_S))


def _lines(prompts: Prompts, language: Language, wanted: str) -> list[Line]:
    lines = [_line(prompts, prompt, language) for prompt in prompts.known() if wanted or not _varies(prompt)]
    return [line for line in lines if wanted in line.text or wanted in line.key]


def _line(prompts: Prompts, prompt: Prompt, language: Language) -> Line:
    recorded = prompts.recorded(prompt, language) is not None
    return Line(prompt.key, _value(prompt), render(prompt, language), recorded)


def _varies(prompt: Prompt) -> bool:
    return bool(prompt.values) and prompt.key != "greeting"


def _value(prompt: Prompt) -> str:
    return "".join(str(value) for value in prompt.values.values())


def _find(prompts: Prompts, key: str, value: str) -> Prompt:
    """One that we know: nothing that comes in becomes a file's name. Raises not_found."""
    for prompt in prompts.known():
        if prompt.key == key and _value(prompt) == value:
            return prompt
    raise Problem("not_found")


def _place(prompts: Prompts, prompt: Prompt, language: Language) -> Path:
    value = _value(prompt)
    return prompts.folder / "recorded" / language / f"{prompt.key}{'-' + value if value else ''}.wav"


def _language(seen: Visit, voice: str) -> Language:
    return voice if voice in LANGUAGES else seen.parts.core.settings.language
