"""The double as a process of its own, for a demonstration: `python -m tests.cloud --help`.

The auth token comes in HOTLINE_TWILIO_AUTH_TOKEN, so that no list of processes shows it.
"""

import argparse
import asyncio
import json
import os
import sys

from tests.cloud.cloud import Cloud
from tests.cloud.demonstration import Plan, demonstrate


def main() -> int:
    """0: the call went through and nothing of it would have been refused by the real cloud."""
    return asyncio.run(_run(_read_arguments()))


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("tests.cloud", description="Place one call through a double of the cloud phone.")
    parser.add_argument("--listen", default="127.0.0.1:0", help="host:port of its REST API (HOTLINE_TWILIO_API_URL)")
    parser.add_argument("--account", required=True, help="account SID, AC and 32 hexadecimal digits")
    parser.add_argument("--number", required=True, help="our number at the cloud, E.164")
    parser.add_argument("--hotline", required=True, help="public URL of the hotline")
    parser.add_argument("--caller", default="+8613800138000", help="calling number")
    parser.add_argument("--keys", default="", help="keys to press, one for each question: 1,2")
    parser.add_argument("--speak", type=float, default=0, help="seconds spoken into a message")
    parser.add_argument("--stay", type=float, default=0, help="seconds after which the caller hangs up; 0 = never")
    parser.add_argument("--talk", type=float, default=10, help="seconds after which the leader hangs up; 0 = never")
    parser.add_argument("--json", action="store_true", help="a summary as JSON on the last line")
    return parser.parse_args()


async def _run(given: argparse.Namespace) -> int:
    host, _, port = given.listen.rpartition(":")
    token = os.environ["HOTLINE_TWILIO_AUTH_TOKEN"]
    async with Cloud(given.account, token, host=host, port=int(port), speed=1) as cloud:
        base = given.hotline.rstrip("/") + "/twilio"
        cloud.own(given.number, voice_url=f"{base}/voice", status_url=f"{base}/status", fallback_url=f"{base}/fallback")
        keys = tuple(key for key in given.keys.split(",") if key)
        plan = Plan(given.caller, given.number, keys, given.speak, given.stay, given.talk)
        call = await demonstrate(cloud, plan)
        faults = [str(error) for error in cloud.errors]
        if given.json:
            print(
                json.dumps({"call_sid": call.sid, "status": call.status, "ended_by": call.ended_by, "faults": faults})
            )
        else:
            print(f"({call.status}, {call.ended_by})", *faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
