"""How much is measured: in full, or quickly."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of samples, and times in seconds."""

    quick: bool = False
    seed: int = 12345
    #: (callers waiting, handovers measured)
    handovers: tuple[tuple[int, int], ...] = ((5, 40), (50, 40), (500, 30))
    talk_s: tuple[float, float] = (0.6, 1.6)
    answers: int = 220
    answers_per_s: float = 3.5
    load_s: float = 60.0
    load_per_s: float = 10.0
    #: Tried one after the other until fewer than 99 % succeed; the last is more than two cores can take.
    rates: tuple[float, ...] = (20, 40, 75, 130, 180, 240, 320, 420, 560)
    full_rates: tuple[float, ...] = (20, 40, 68, 90, 120, 160, 210)
    rate_s: float = 10.0
    hold_s: float = 60.0
    flow_s: float = 3.0
    store_turns: int = 2000
    line_samples: int = 1000
    line_depths: tuple[int, ...] = (10, 1_000, 100_000)
    throughput_s: float = 8.0
    webhook_s: float = 15.0
    cloud_callers: int = 1000
    fanout_s: float = 20.0
    paints: int = 9
    rehearsals: int = 3
    takeovers: int = 6
    takeover_callers: int = 50


QUICK = Sizes(
    quick=True,
    handovers=((5, 15), (50, 15), (200, 10)),
    answers=40,
    load_s=15.0,
    rates=(10, 20, 40, 80),
    full_rates=(5, 10, 20),
    rate_s=4.0,
    hold_s=12.0,
    flow_s=1.0,
    store_turns=400,
    line_samples=200,
    line_depths=(10, 1_000, 20_000),
    throughput_s=1.0,
    webhook_s=4.0,
    cloud_callers=60,
    fanout_s=5.0,
    paints=3,
    rehearsals=1,
    takeovers=2,
    takeover_callers=20,
)


def chosen() -> Sizes:
    """QUICK=1 in the environment wants the quick one."""
    return QUICK if os.environ.get("QUICK", "") not in ("", "0") else Sizes()
