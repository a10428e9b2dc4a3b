"""`python -m bench.bare PORT SID TOKEN`: a webhook that checks the signature and always says the same. What ours is held against."""

import sys

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import Response

from telephony.twilio.signature import Signatures, read_form

TWIML = (
    '<?xml version="1.0" encoding="UTF-8"?><Response><Say>12345</Say><Redirect>/twilio/present</Redirect></Response>'
)


def create_app(sid: str, token: str, public_url: str) -> FastAPI:
    app = FastAPI()
    signatures = Signatures(sid, token, public_url)

    @app.post("/twilio/voice")
    async def voice(request: Request) -> Response:
        form = read_form(await request.body())
        signed = signatures.signs_form("/twilio/voice", form, request.headers.get("x-twilio-signature", ""))
        return Response(TWIML, media_type="text/xml") if signed else Response(status_code=403)

    @app.get("/healthz")
    async def healthz() -> Response:
        return Response("ok")

    return app


if __name__ == "__main__":
    port, sid, token = sys.argv[1:]
    uvicorn.run(
        create_app(sid, token, f"http://127.0.0.1:{port}"), port=int(port), access_log=False, log_level="warning"
    )
