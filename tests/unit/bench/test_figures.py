"""The statistics of the bench. Nothing here is timed."""

import math

import pytest

from bench.figures import quantile, ratio, summarise


def test_the_median_and_the_99th_percentile_are_samples_that_occurred() -> None:
    summary = summarise([float(n) for n in range(1, 201)])
    assert (summary.count, summary.median, summary.p99, summary.most) == (200, 100.0, 198.0, 200.0)


def test_with_few_samples_the_99th_percentile_is_the_largest() -> None:
    assert summarise([3.0, 1.0, 2.0]).p99 == 3.0


def test_no_samples_are_nothing_and_have_no_quantile() -> None:
    assert summarise([]).count == 0
    with pytest.raises(ValueError, match="no samples"):
        quantile([], 0.5)


def test_a_ratio_to_nothing_is_infinite() -> None:
    assert ratio(1.0, 4.0) == 0.25
    assert ratio(1.0, 0.0) == math.inf
