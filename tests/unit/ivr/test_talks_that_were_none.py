"""However short, a talk is a talk; two whom the carrier never put together have not talked."""

from ivr.commands import ReturnToHead
from ivr.events import Answered, Arrived, Missed, TalkEnded
from tests.unit.ivr.scene import NEW, NOW, OPEN, at, key, names, offer, play

ANSWERED = (Arrived(facts=OPEN), key("1", 3), offer(60), Answered(facts=at(OPEN, 65)))


def test_a_short_talk_is_a_talk() -> None:
    call, commands = play(NEW, *ANSWERED, TalkEnded(facts=at(OPEN, 65), seconds=0.0))
    assert (call.node, call.outcome) == ("goodbye", "talked")
    assert names(commands).count("MakeOrder") == 1


def test_who_was_never_put_together_with_the_leader_is_the_first_again() -> None:
    call, commands = play(NEW, *ANSWERED, Missed(facts=at(OPEN, 65), reason="gone"))
    assert (call.node, call.joined_at, call.told_position, call.outcome) == ("waiting", NOW + 3, 1, None)
    assert names(commands).count("JoinLine") == 2
    assert "MakeOrder" not in names(commands)
    (back,) = [command for command in commands if isinstance(command, ReturnToHead)]
    assert (back.reason, back.pause, back.from_talk) == ("gone", False, True)
