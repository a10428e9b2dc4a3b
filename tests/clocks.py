"""A clock that tests move."""


class SetClock:
    """Unix seconds that stand still until moved. Starts on 2026-11-25 09:00 in Shanghai, a Wednesday."""

    def __init__(self, now: float = 1795568400.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> float:
        """The time after `seconds` more."""
        self.now += seconds
        return self.now
