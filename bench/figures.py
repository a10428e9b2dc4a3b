"""Numbers from many samples. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Summary:
    """Of `count` samples, in their unit. All zero when there are none."""

    count: int
    median: float
    p99: float
    most: float


def summarise(samples: Sequence[float]) -> Summary:
    """With fewer than 100 samples the 99th percentile is the largest one."""
    if not samples:
        return Summary(0, 0.0, 0.0, 0.0)
    return Summary(len(samples), quantile(samples, 0.5), quantile(samples, 0.99), max(samples))


def quantile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least `share` of all do not exceed (nearest rank). Raises ValueError for no samples."""
    if not samples:
        raise ValueError("there are no samples")
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def ratio(ours: float, theirs: float) -> float:
    """How many times as much as theirs; infinite when theirs is nothing."""
    return ours / theirs if theirs else math.inf
