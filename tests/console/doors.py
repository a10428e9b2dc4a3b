"""Every route by the act that it is, and what is sent to it: the table of roles is tried at these doors."""

from api.accounts.acts import Act

#: act -> what is asked. Ids that do not exist: whoever may, gets a 404 or 409; who may not, never gets so far.
DOORS: dict[Act, list[tuple[str, str]]] = {
    "screen": [("GET", "/screen")],
    "board": [("GET", "/board"), ("GET", "/account"), ("POST", "/account/totp"), ("GET", "/board/stream")],
    "read": [
        *(("GET", path) for path in ("/api/line", "/api/sessions", "/api/sessions/x", "/api/calls/x", "/api/ledger", "/api/units")),
        *(("GET", path) for path in ("/api/ledger/check", "/api/line/stream")),
        *(("GET", f"/api/sessions/x/{what}") for what in ("fairness", "report", "test-calls")),
        ("GET", "/sessions"), ("GET", "/sessions/x"), ("GET", "/report/x"),
    ],
    "own_orders": [("GET", "/orders"), ("GET", "/orders/x"), ("GET", "/api/work-orders"), ("GET", "/api/work-orders/x"),
                   ("GET", "/api/work-orders/x/calls")],
    "desk": [
        ("GET", "/desk"), ("GET", "/desk/calls/x"), ("GET", "/desk/calls/x/now"), ("GET", "/api/calls/x/notes"),
        ("POST", "/api/calls/x/notes"), ("GET", "/api/calls/x/form"), ("PUT", "/api/calls/x/form"),
        ("GET", "/desk/stream"), ("GET", "/phone/operators"),
    ],
    "lead": [("GET", "/leader"), ("GET", "/leader/stream/x"), ("GET", "/leader/seat/x/caller"), ("GET", "/phone/seat/x")],
    "line": [("POST", f"/api/line/x/{act}") for act in ("move", "release", "next", "urgent", "seat")],
    "sessions": [
        *(("POST", f"/api/sessions/x/{act}") for act in ("open", "close", "postpone", "cancel")),
        *(("POST", f"/api/sessions/x/{act}") for act in ("announce", "hold", "resume", "admission", "extend", "stop")),
        ("POST", "/sessions"), ("POST", "/sessions/x/open"), ("POST", "/api/sessions"),
    ],
    "seats": [
        *(("POST", f"/api/seats/x/{act}") for act in ("open", "pause", "resume", "close")),
        ("POST", "/sessions/x/seats/y/open"),
    ],
    "listen": [
        ("POST", "/api/seats/x/listen"), ("GET", "/api/seats/x/supervisions"), ("GET", "/api/seats/x/supervisions/y"),
        ("POST", "/api/seats/x/supervisions/y/end"),
    ],
    "whisper": [("POST", "/api/seats/x/whisper")],
    "barge": [("POST", "/api/seats/x/barge")],
    "three_way": [("POST", "/api/seats/x/three-way")],
    "test_calls": [("POST", "/api/sessions/x/test-calls"), ("POST", "/sessions/x/test-calls")],
    "placed_calls": [
        *(("POST", f"/api/work-orders/x/calls/{act}") for act in ("urgent", "follow-up", "y/withdraw")),
        *(("POST", f"/orders/x/calls/{act}") for act in ("urgent", "y/withdraw")),
    ],
    "units": [("PUT", "/api/units/duty-number"), ("GET", "/units"), ("POST", "/units")],
    "orders": [("POST", "/api/work-orders/x/sign"), ("POST", "/orders/x/step/sign")],
    "numbers": [("POST", "/orders/x/number")],
    "recordings": [("POST", "/orders/x/recordings/y"), ("GET", "/recordings/x")],
    "prompts": [("GET", "/prompts"), ("GET", "/prompts/sound?key=x"), ("POST", "/prompts/restore"), ("POST", "/prompts/replace")],
    "audit": [("GET", "/audit")],
    "accounts": [("GET", "/accounts"), ("POST", "/accounts"), ("POST", "/accounts/nobody/disable")],
}  # fmt: skip
#: Routes that ask for no act: what everybody may see, ways in and out, the cloud's signed webhooks, phones by ticket.
FOR_ANYBODY = {
    *(("GET", path) for path in ("/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/screen/stream")),
    *(("GET", path) for path in ("/language/{language}", "/static/{name}", "/sign-in", "/sign-in/link/{token}")),
    *(("GET", path) for path in ("/sign-in/oidc", "/sign-in/oidc/callback")),
    *(("POST", path) for path in ("/sign-in", "/sign-in/link/{token}", "/sign-out", "/twilio/{step}", "/api/phone/tickets")),
    ("GET", "/twilio/prompts/{expires}/{signature}/{folder}/{name}"), ("WS", "/ws"),
}  # fmt: skip
#: What each of these doors lets in besides.
ALSO: dict[Act, frozenset[Act]] = {"own_orders": frozenset({"read"})}
#: Tried by the tests of the parts that have them: browser phone, test calls.
ELSEWHERE: frozenset[Act] = frozenset({"phone"})
BODIES = {"move": {"position": 1, "reason": "r"}, "release": {"to": "operator"}}


