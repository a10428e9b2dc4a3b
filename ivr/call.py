"""One live call as a frozen record. It holds no carrier, clock, network or database: only what was said and decided so far."""

from typing import Literal

from msgspec import Struct

Carrier = Literal["asterisk", "twilio"]
Language = Literal["zh-Hans", "zh-Hant", "en"]
NodeName = Literal[
    "arriving",  # answered, nothing decided yet
    "question",  # will you wait?
    "waiting",  # in the line, on hold
    "ringing",  # the leader's line rings for this caller
    "talking",  # the leader and the caller hear each other
    "message",  # the caller records the matter
    "contact",  # number withheld: where can we reach you?
    "order",  # the work order's number is awaited, then spoken
    "closed",  # no session is open
    "operator",  # put through to the ordinary operators
    "callback",  # we promise to call back, with the place in the line kept or as a work order
    "kept",  # the caller has hung up and keeps the place in the line
    "calling",  # a seat is ready: we call the caller back
    "screening",  # somebody answered: is it the caller, and do they want to talk now?
    "goodbye",  # last words, then we hang up
    "fallback",  # something of ours broke: sorry, operators or a recorded message
    "ended",  # the caller is gone; the record is kept for late events only
]
Outcome = Literal["talked", "work_order", "callback", "transferred", "abandoned", "fallback"]
#: What a work order comes from.
OrderSource = Literal["declined", "abandoned", "callback", "released", "closed", "talked", "fallback"]


class Call(Struct, frozen=True, omit_defaults=True):
    """The saved call. What the caller hears derives from it alone (see `flow.present`).

    Times are Unix seconds. `number` is personal data and stays in Redis and the encrypted columns.
    """

    #: `a-<node>-<uniqueid>` for Asterisk, `t-<CallSid>` for Twilio; letters, digits and `-` only, at most 64.
    id: str
    carrier: Carrier
    started_at: float
    #: E.164, or empty when the caller withheld it or it could not be read.
    number: str = ""
    #: Name of the PBX node or cloud account that holds the caller's leg.
    host: str = ""
    language: Language = "zh-Hans"
    node: NodeName = "arriving"
    #: Grows by one with every saved turn; the compare-and-set is on it.
    seq: int = 0
    #: The `seq` at which what the caller hears last changed. A carrier starts to play again only when it differs.
    scene: int = 0
    #: Number of turns at this node that led nowhere (silence, wrong keys, empty recordings).
    tries: int = 0
    entered_at: float = 0.0
    session_id: str = ""
    seat_id: str = ""
    #: When the session is to close, as known on arrival.
    closes_at: float = 0.0
    joined_at: float = 0.0
    #: The position last spoken. A higher one is spoken only after an act of an operator; else none is, while it is not so.
    told_position: int = 0
    #: An operator has put somebody before this caller since, and they have not been told yet.
    overtaken: bool = False
    told_at: float = 0.0
    #: Fencing token of the claim by which a seat was offered.
    token: int = 0
    #: The seat of that claim, when the caller has moved to another line since.
    claimed_seat: str = ""
    #: Where the leader answers for this claim (SIP URI or number), from the seat.
    leader_line: str = ""
    missed: int = 0
    talk_started_at: float = 0.0
    #: Why the caller reached this node, a key of the wording ("session_closed", "leader_left" ...), or empty.
    reason: str = ""
    #: Name of the recording being made or made last, without folder or extension.
    recording: str = ""
    #: Keys collected so far at a node that takes several.
    typed: str = ""
    #: Number the caller keyed in to be called back at, when their own is withheld.
    contact: str = ""
    order_number: str = ""
    #: What the order of this call will say it comes from, while the caller is on the way to it.
    source: OrderSource = "declined"
    #: True once a MakeOrder command has been given for this call: there is never a second one.
    ordered: bool = False
    #: Decided before the caller is gone; the ledger gets it when the call ends.
    outcome: Outcome | None = None
    #: When the caller hung up and the ledger got the outcome. A call that keeps its place goes on after it.
    ended_at: float = 0.0
    #: The caller's leg at the carrier when it is not the one the id was made from: we called back.
    leg: str = ""
    #: Further lines of the leader, rung in turn when the one before is not answered.
    more_lines: tuple[str, ...] = ()
    #: Tries to call back that came to nothing.
    callbacks_missed: int = 0
    #: Time of the announcement heard last.
    noticed_at: float = 0.0
