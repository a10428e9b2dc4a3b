"""What can go wrong with a carrier, in three families: a caller left, try again, or somebody must mend something.

    TelephonyError
    ├── CallGone             normal: the channel is no more
    ├── CarrierUnavailable   try again: no connection, no answer in time
    │   └── CarrierUncertain     it was sent, and nobody knows whether it was carried out: look first
    └── CarrierRefused       a bug or a setting: wrong secret, malformed value, command refused
"""


class TelephonyError(Exception):
    """Root of everything a carrier can raise. The message says what to do next."""


class CallGone(TelephonyError):
    """The caller or the leader hung up; there is nothing left to command. Never logged as an error."""


class CarrierUnavailable(TelephonyError):
    """The carrier does not answer. Try again later, and go to the fallback meanwhile."""


class CarrierUncertain(CarrierUnavailable):
    """The carrier was asked and did not say whether it did it. Look what became of it before you ask again."""


class CarrierRefused(TelephonyError):
    """The carrier refused what we sent. Trying again will not help."""
