"""`hotline asterisk`: becomes an Asterisk with our configuration, for machines where each part runs by itself."""

import asyncio
import os
import sys
from typing import NoReturn

from cli.platform_messages import sentence
from config.settings import Settings
from telephony.asterisk.install import AsteriskProgram, find_asterisk
from telephony.asterisk.pbx_config import render
from telephony.sounds import prepare_first


def run(settings: Settings) -> int:
    """Never returns when there is an Asterisk: this process becomes it. 1 when there is none."""
    program = find_asterisk(settings.model_copy(update={"asterisk": "auto"}))
    if program is not None:
        asyncio.run(prepare_first(settings))
        _become(settings, program)
    print(sentence("no_asterisk", settings.language, command="hotline doctor --install"), file=sys.stderr)
    return 1


def _become(settings: Settings, program: AsteriskProgram) -> NoReturn:
    os.umask(0o077)  # recordings and the manager's secret are ours alone
    files = render(settings, settings.state_dir / "asterisk", program)
    os.execve(program.argv[0], [*program.argv, "-f", "-C", str(files.conf)], program.program.environment())  # noqa: S606
