"""The story of a rehearsal for an operator: a summary, the timeline, the depth of the line as a curve. Text only."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from rehearsal.play import Play
from rehearsal.proof import Result

#: What happened, in words (简体, English).
WORDS = {
    "opened": "场次开始 · the session opens",
    "leader_there": "领导签到 · the leader signs in",
    "leader_came": "领导到了（晚到） · the leader comes late",
    "closing": "到点：不再接入，等候者转工单 · closing time: who waits becomes a work order",
    "closed": "场次结束 · the session is over",
    "restarted": "全部进程重启 · every process restarts",
}
OUTCOMES = {
    "talked": "领导接听", "work_order": "转为工单", "callback": "约定回拨", "transferred": "转话务员",
    "abandoned": "中途挂断", "fallback": "故障兜底",
}  # fmt: skip
#: Of the curve: minutes a line, callers a mark.
STEP_S = 600.0
WIDTH = 50


def story(play: Play, result: Result) -> Iterator[str]:
    """Line by line."""
    zone = ZoneInfo(play.settings.timezone)
    yield f"== 演练 · rehearsal, seed {result.seed}: {result.calls} 来电 calls, {result.orders} 工单 orders"
    for outcome, count in sorted(result.outcomes.items(), key=lambda pair: -pair[1]):
        yield f"   {OUTCOMES[outcome]} {outcome:<12} {count:>5}"
    yield f"   与领导通话 talks with the leader {result.talks} (含回拨 those called back included)"
    yield f"   最多等候 longest line {result.longest_depth}; 次序例外 deviations {result.deviations} (都有原因 all explained)"
    if result.injected:
        yield "   注入故障 faults: " + ", ".join(f"{name} {count}" for name, count in sorted(result.injected.items()))
    yield "-- 经过 · timeline"
    for at, what in play.told.lines:
        yield f"   {datetime.fromtimestamp(at, zone):%H:%M:%S}  {WORDS.get(what, what)}"
    yield "-- 等候人数 · depth of the line"
    yield from _curve(play, zone)


def _curve(play: Play, zone: ZoneInfo) -> Iterator[str]:
    most = max((depth for _, depth in play.told.depths), default=0) or 1
    due = 0.0
    for at, depth in play.told.depths:
        if at >= due:
            yield f"   {datetime.fromtimestamp(at, zone):%H:%M} {'#' * round(depth / most * WIDTH)} {depth}"
            due = at + STEP_S
