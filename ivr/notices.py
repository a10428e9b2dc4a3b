"""What operators can announce to all who wait. The words are in the wording, as `waiting_<key>`."""

from collections.abc import Mapping
from typing import Literal, get_args

NoticeKey = Literal[
    "leader_late",  # the leader has not come yet
    "leader_back",  # the leader answers (again)
    "held",  # nobody is put through for a while
    "resumed",  # it goes on
    "extended",  # the session lasts longer than planned
    "ending_soon",  # the session is about to end
    "shortened",  # it ends earlier than planned
    "postponed",  # it will be held on another day
    "ended",  # it is over; who waits had better leave the matter
    "technical",  # something of ours is being repaired
]
NOTICES: tuple[NoticeKey, ...] = get_args(NoticeKey)
#: What an act on a session announces by itself.
SAYS: Mapping[str, NoticeKey] = {"hold": "held", "resume": "resumed", "extend": "extended"}
