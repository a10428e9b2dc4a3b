"""Names that the dialplan (config/asterisk/extensions.conf.j2) and the bridge share. Nothing else may invent one."""

#: Where callers enter and return to AGI; `again` gives a fresh lease.
SERVICE_CONTEXT = "service"
AGAIN_EXTEN = "again"
#: Whoever answers our call back.
BACK_EXTEN = "back"
CONNECT_CONTEXT = "connect"
TRANSFER_CONTEXT = "transfer"
FALLBACK_CONTEXT = "fallback"
#: Where the leader is told why a talk is ended, and the sentence.
TOLD_CONTEXT = "told"
NOTICE = "HOTLINE_NOTICE"
START_EXTEN = "s"

TEST_CONTEXT = "test"
#: Whoever answers when we call about an order, and the way to the operators and back.
PLACED_CONTEXT = "placed"
OPERATOR_EXTEN = "operator"
#: Directors and operators at a talk; the extensions are listen, whisper, barge and three-way.
SUPERVISE_CONTEXT = "supervise"
TARGET = "HOTLINE_TARGET"

#: Channel variables, set by the bridge before a Redirect to [connect].
LINE = "HOTLINE_LINE"
RING_S = "HOTLINE_RING_S"
WHISPER = "HOTLINE_WHISPER"
CONFIRM = "HOTLINE_CONFIRM"
RECORDING = "HOTLINE_RECORDING"
#: The call as the bridge saved it last, without the number: Redis may lose everything, the channel is still there.
SAVED = "HOTLINE_SAVED"
#: UserEvent by which the dialplan tells that it serves a caller itself.
FELL_BACK = "HotlineFallback"
#: UserEvent by which it tells, before the Hangup, that the caller ended a talk; `Seconds` of it.
TALK_LEFT = "HotlineTalked"
#: Set by the dialplan: talked no_answer busy declined unreachable gone unconfirmed; and the seconds of the talk.
RESULT = "HOTLINE_RESULT"
TALK_S = "HOTLINE_TALK_S"
#: Set when the other side has heard the whisper to its end (or confirmed): empty = hung up before.
TALK_FROM = "HOTLINE_TALK_FROM"
TALKED = "talked"
#: The dead man's switch of a channel in AGI.
LEASE = "TIMEOUT(absolute)"
