"""`hotline simulate`: whole sessions in virtual time. A rehearsal for operators, and our strongest test. Rings nobody."""

import logging
import time
from collections import Counter
from typing import Annotated

import structlog
import typer
from msgspec import to_builtins
from msgspec.structs import replace

from cli.errors import CommandError, Exit
from cli.options import AsJson
from cli.output import out, print_json, print_table, progress, tell
from rehearsal.company import House, NoServer, house, run
from rehearsal.plan import SESSION_S, Plan
from rehearsal.proof import Result
from rehearsal.story import story

#: Violations told on the terminal.
TOLD_MAX = 20


def simulate(
    seed: Annotated[int, typer.Option("--seed", min=0, help="同一种子结果相同 · the same seed, the same session")] = 1,
    callers: Annotated[int, typer.Option("--callers", min=1, max=20_000, help="来电数 · calls")] = 846,
    seats: Annotated[int, typer.Option("--seats", min=1, max=9, help="席位数 · leaders at once")] = 1,
    leader_late: Annotated[float, typer.Option("--leader-late", min=0, help="领导晚到几分钟 · minutes late")] = 0.0,
    faults: Annotated[
        bool, typer.Option("--faults", help="注入丢失、重复、乱序、丢失应答、重启 · lose, repeat, reorder, lose answers, restart")
    ] = False,
    intake: Annotated[
        bool, typer.Option("--intake", help="工单也写入数据库并核对 · orders in the database, too, and compared")
    ] = False,
    sessions: Annotated[int, typer.Option("--sessions", min=1, help="连续多少场 · how many, seeds counting up")] = 1,
    as_json: AsJson = False,
) -> None:
    """演练：虚拟时间里走完一整场 · play whole sessions in virtual time and prove that everything holds."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    plan = Plan(seed=seed, callers=callers, seats=seats, leader_late_s=leader_late * 60, faults=faults, intake=intake)
    try:
        with house() as place:
            one = sessions == 1
            good = run(_one(place, plan, as_json=as_json) if one else _many(place, plan, sessions, as_json=as_json))
    except NoServer as error:
        raise CommandError(Exit.UNREACHABLE, "program_missing", name="valkey-server", command="make setup") from error
    if not good:
        raise typer.Exit(Exit.NEGATIVE)


async def _one(place: House, plan: Plan, *, as_json: bool) -> bool:
    begun = time.perf_counter()
    play, result = await place.rehearse(plan)
    seconds = time.perf_counter() - begun
    if as_json:
        print_json({**to_builtins(result), "seconds": round(seconds, 3)})
        return not result.violations
    for line in story(play, result):
        out.print(line, markup=False)
    _conclude(result, seconds)
    return not result.violations


def _conclude(result: Result, seconds: float) -> None:
    if result.violations:
        tell("rehearsal_broken", count=len(result.violations))
        for violation in result.violations[:TOLD_MAX]:
            out.print(f"  {violation}", markup=False)
    else:
        tell("rehearsed", calls=result.calls, seconds=seconds, hours=SESSION_S / 3600)


async def _many(place: House, plan: Plan, sessions: int, *, as_json: bool) -> bool:
    calls = unaccounted = doubled = 0
    injected, outcomes = Counter[str](), Counter[str]()
    violations: list[tuple[int, str]] = []
    plans = (replace(plan, seed=plan.seed + number) for number in range(sessions))
    with progress(sessions) as advance:
        async for _, result in place.rehearse_all(plans):
            calls, unaccounted, doubled = calls + result.calls, unaccounted + result.unaccounted, doubled + result.doubled
            injected.update(result.injected)
            outcomes.update(result.outcomes)
            violations += [(result.seed, violation) for violation in result.violations]
            advance()
    found = {
        "sessions": sessions, "calls": calls, "outcomes": dict(outcomes), "unaccounted": unaccounted, "doubled": doubled,
        "injected": dict(injected), "violations": [{"seed": seed, "what": what} for seed, what in violations],
    }  # fmt: skip
    if as_json:
        print_json(found)
        return not violations
    tell(
        "rehearsed_many",
        sessions=sessions, calls=calls, unaccounted=unaccounted, doubled=doubled, faults=len(violations),
        injected=sum(injected.values()),
    )  # fmt: skip
    if violations:
        print_table(("col_id", "col_fault"), violations[:TOLD_MAX])
    return not violations
