"""A strict double of a cloud phone that speaks TwiML, as Twilio documents it: only what plays Twilio's part belongs here.

It places calls, runs our TwiML, signs webhooks, answers our REST calls, and misbehaves on demand. It knows nothing of our
own packages (so that both can be wrong only independently) and leaves the twilio library to its users and tests.
Everything it would reject ends in `Cloud.errors`; a test that uses it ends with `cloud.assert_faultless()`.
"""

from tests.cloud.callee import Callee
from tests.cloud.cloud import Cloud
from tests.cloud.leg import Heard, Leg
from tests.cloud.script import When

__all__ = ["Callee", "Cloud", "Heard", "Leg", "When"]
