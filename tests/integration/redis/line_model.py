"""What must be true of one line and its seat, in a few lists. No Redis."""

from dataclasses import dataclass, field

from queueing.line import Claim


@dataclass
class Model:
    """A caller stands behind everybody who joined no later, unless an act moved one of the two."""

    order: list[str] = field(default_factory=list)
    joined: dict[str, float] = field(default_factory=dict)
    #: Who was moved by an act: their joining time says nothing about their place any more.
    moved: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    seen: dict[str, int] = field(default_factory=dict)
    state: str = "closed"
    until: float = 0.0
    closing: bool = False
    pause_after: bool = False
    held: bool = False
    #: The newest claim and what became of it.
    claim: Claim | None = None
    fate: str = "none"
    claimed_until: float = 0.0
    #: Who may stand further back than before, by what was just done.
    may_fall_back: set[str] = field(default_factory=set)

    def join(self, call_id: str, joined_at: float, now: list[str], *, is_new: bool) -> None:
        """`now`: the order with the new caller, as the line has it; it must be right. `is_new`: joined at this moment; who takes
        back an older place may also come before one who was moved behind it."""
        place = now.index(call_id)
        assert [one for one in now if one != call_id] == self.order, "the others keep their order"
        ahead, behind = now[:place], now[place + 1 :]
        assert all(self.joined[one] <= joined_at for one in ahead if one not in self.moved)
        assert all(self.joined[one] > joined_at for one in behind if one not in self.moved)
        if is_new and joined_at >= max(self.joined.values(), default=0.0):
            assert not behind, "who comes now comes last"
        self.order, self.joined[call_id] = list(now), joined_at
        self.may_fall_back = set(behind)

    def remove(self, call_id: str) -> bool:
        if call_id not in self.order:
            return False
        self.order.remove(call_id)
        self.joined.pop(call_id)
        self.moved.discard(call_id)
        return True

    def leave(self, call_id: str) -> bool:
        """Out of the line by a word of the call; who goes to the talk is on the phone by then."""
        found = self.remove(call_id)
        if found:
            self.kept.discard(call_id)
        return found

    def place(self, call_id: str, to: int) -> None:
        """An act puts a caller at rank `to`, from 0."""
        before = self.order.index(call_id)
        if before == to:
            return
        self.may_fall_back = set(self.order[to:before]) if to < before else {call_id}
        self.order.remove(call_id)
        self.order.insert(to, call_id)
        self.moved.add(call_id)

    def reach(self, call_id: str, position: int) -> int | None:
        """The rank to which a move may lead: never ahead of who is offered, who cannot be moved."""
        before, to = self.order.index(call_id), min(position, len(self.order)) - 1
        if self.fate != "ringing" or self.claim is None or self.claim.call_id not in self.order:
            return to
        if self.claim.call_id == call_id:
            return None
        offered = self.order.index(self.claim.call_id)
        return max(to, offered + 1 if offered < before else offered)

    def settle(self, state: str, until: float = 0.0) -> None:
        self.state, self.until = state, until
        if self.closing:
            self.state = "closed"
        elif self.pause_after and state != "paused":
            self.state = "paused"
        self.closing = self.pause_after = False
