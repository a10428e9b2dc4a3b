"""Who overtook whom, and whether there is a reason for each pair: judged from facts alone, when the leader's line rings."""

from calls.served_order import MEANWHILE_S, RESTORED_WITHIN_S, Deviation, Fact, Fairness, judge

SEAT = "s1"


class Story:
    """Facts one second after the other; callers join in the order in which they are named."""

    def __init__(self, *callers: str) -> None:
        self.now, self.facts = 0.0, list[Fact]()
        for caller in callers:
            self.tell(caller, "willing", joined_at=self.now + 1)
        self.now = 100.0

    def tell(self, caller: str, kind: str, **data: object) -> "Story":
        self.now += 1
        self.facts.append(Fact(caller, kind, self.now, {"seat_id": SEAT, **data}))
        return self

    def act(self, caller: str, act: str, **data: object) -> "Story":
        return self.tell(caller, "operator_act", act=act, who="op", reason="why", **data)

    def serve(self, caller: str) -> "Story":
        return self.tell(caller, "offered").tell(caller, "connected")

    def judged(self) -> Fairness:
        return judge(self.facts)

    def only(self) -> Deviation:
        (deviation,) = self.judged().deviations
        return deviation


def test_who_is_served_in_the_order_of_joining_is_no_deviation() -> None:
    assert Story("a", "b").serve("a").serve("b").judged() == Fairness(2, ())


def test_who_goes_first_without_an_act_is_unexplained() -> None:
    story = Story("a", "b", "c").serve("c")
    assert (story.only().overtook, story.only().reasons, story.only().unexplained) == (("a", "b"), (), ("a", "b"))
    assert story.judged().unexplained == 1


def test_a_place_taken_back_while_the_line_rings_for_another_overtakes_nobody() -> None:
    story = Story("a", "b").tell("a", "left_line").tell("b", "offered")
    story.tell("a2", "willing", joined_at=1.0).tell("a2", "place_taken_back").tell("b", "connected")
    assert story.judged() == Fairness(1, ())


def test_a_place_taken_back_a_moment_before_the_ring_is_a_reason_and_long_before_is_none() -> None:
    story = Story("a", "b").tell("a", "left_line").tell("a2", "willing", joined_at=1.0).tell("a2", "place_taken_back")
    assert story.serve("b").only().reasons == ("place_taken_back",)
    story = Story("a", "b").tell("a", "left_line").tell("a2", "willing", joined_at=1.0).tell("a2", "place_taken_back")
    story.now += 60
    assert story.serve("b").only().unexplained == ("a2",)


def test_what_an_operator_did_goes_on_with_the_call_that_takes_the_place_back() -> None:
    for still_there in (False, True):
        story = Story("a", "b", "c").act("a", "move", from_position=1, position=3).act("c", "urgent")
        for caller, joined_at in (("a", 1.0), ("c", 3.0)):
            back: list[tuple[str, str, dict[str, object]]] = [
                ("left_line", caller, {}), ("willing", f"{caller}2", {"joined_at": joined_at}),
                ("place_taken_back", f"{caller}2", {"from_call": caller}),
            ]
            for kind, who, data in (*back[1:], back[0]) if still_there else back:
                story.tell(who, kind, **data)
        story.now += 60
        fair = story.serve("c2").serve("b").serve("a2").judged()
        assert (fair.served, fair.unexplained) == (3, 0)
        assert [one.reasons for one in fair.deviations] == [("urgent: why (op)", "move: why (op)"), ("move: why (op)",)]


def test_who_joined_late_because_a_process_died_was_not_there_to_be_overtaken_and_is_from_then_on() -> None:
    story = Story("a", "b", "c").serve("c").tell("a", "joined_late", since=1.0)
    assert (story.only().reasons, story.only().unexplained) == (("joined_late",), ("b",))
    story = Story("a", "b").tell("a", "joined_late", since=1.0)
    assert story.serve("b").only().reasons == ("joined_late",)  # the claim may have been a moment before its offer
    story = Story("a", "b").tell("a", "joined_late", since=1.0)
    story.now += MEANWHILE_S
    assert story.serve("b").only().unexplained == ("a",)


def test_who_was_restored_after_redis_lost_everything_was_away_for_a_minute_at_most() -> None:
    assert Story("a", "b").serve("b").tell("a", "restored").only().reasons == ("restored",)
    story = Story("a", "b").serve("b")
    story.now += RESTORED_WITHIN_S
    assert story.tell("a", "restored").only().unexplained == ("a",)


def test_an_act_on_somebody_else_explains_nothing() -> None:
    story = Story("a", "b", "c").act("a", "urgent").serve("c")
    assert story.only().unexplained == ("a", "b")
    story = Story("a", "b", "c").act("b", "move", position=3, from_position=2).serve("c")
    assert (story.only().reasons, story.only().unexplained) == (("move: why (op)",), ("a",))


def test_an_act_counts_in_the_way_it_moved() -> None:
    assert Story("a", "b").act("b", "next").serve("b").judged().unexplained == 0
    assert Story("a", "b").act("b", "move", position=1, from_position=2).serve("b").judged().unexplained == 0
    assert Story("a", "b").act("b", "move", position=9, from_position=2).serve("b").judged().unexplained == 1
    assert Story("a", "b").act("a", "move", position=2, from_position=1).serve("b").judged().unexplained == 0
    assert Story("a", "b").act("b", "seat").serve("b").judged().unexplained == 1


def test_a_move_goes_past_as_many_as_its_steps_and_no_further() -> None:
    ten = [f"c{n}" for n in range(9)]
    story = Story(*ten, "b").act("b", "move", position=9, from_position=10).serve("b")
    assert (story.only().overtook, story.only().unexplained) == (tuple(ten), tuple(ten[:-1]))
    assert Story(*ten, "b").act("b", "move", position=1, from_position=10).serve("b").judged().unexplained == 0
    story = Story("a", "b", "c").act("c", "move", position=1, from_position=2)  # b had left for a moment
    story.tell("b", "left_line").tell("b2", "willing", joined_at=2.0)
    story.now += 60
    assert story.serve("c").only().unexplained == ()


def test_a_missed_call_back_lets_one_go_first() -> None:
    story = Story("a", "b", "c").tell("a", "callback_missed").serve("b")
    assert story.judged().unexplained == 0
    assert story.serve("c").judged().unexplained == 1
    story = Story("a", "b", "c").tell("a", "callback_missed").serve("b").tell("a", "callback_missed").serve("c")
    assert story.judged().unexplained == 0


def test_an_act_that_was_refused_is_no_reason() -> None:
    assert Story("a", "b").act("b", "next").tell("b", "act_refused").serve("b").judged().unexplained == 1
    other = Story("a", "b").act("b", "next").act("b", "seat").tell("b", "act_refused", act="seat").serve("b")
    assert other.judged().unexplained == 0, "another act was refused"


def test_what_was_done_in_another_line_counts_there_only() -> None:
    story = Story("a").tell("b", "willing", seat_id="s2", joined_at=50.0).act("b", "next")
    story.tell("b", "seat_changed").tell("x", "left_line")
    assert story.serve("b").only().unexplained == ("a",)


def test_who_missed_the_call_back_is_overtaken_for_that_and_overtakes_nobody_by_it() -> None:
    assert Story("a", "b").tell("a", "callback").tell("a", "callback_missed").serve("b").only().reasons == ("callback_missed",)
    assert Story("a", "b").tell("b", "callback_missed").serve("b").only().unexplained == ("a",)


def test_the_last_ring_counts_when_the_leader_missed_the_first() -> None:
    story = Story("a", "b").act("b", "next").tell("b", "offered").act("b", "move", position=2, from_position=1)
    assert story.serve("a").serve("b").judged() == Fairness(2, ())


def test_a_place_kept_without_a_number_comes_back_with_its_joining_time() -> None:
    story = Story("a", "b").tell("a", "left_line").tell("a", "callback", joined_at=1.0)
    story.now += 60
    assert story.serve("b").only().unexplained == ("a",)


def test_who_left_in_the_moment_of_the_offer_made_room_for_it() -> None:
    story = Story("a", "b").tell("b", "offered")
    story.facts.append(Fact("a", "left_line", story.now, {"seat_id": SEAT}))
    assert story.tell("b", "connected").judged() == Fairness(1, ())
