"""One file for verbs that belong together. Each performs a verb on a leg and says which document comes next, if any."""

from tests.cloud.execution import Performer
from tests.cloud.verbs import dialing, gathering, recording, speaking, steering

PERFORMERS: dict[str, Performer] = {
    "Say": speaking.say,
    "Play": speaking.play,
    "Pause": speaking.pause,
    "Gather": gathering.gather,
    "Record": recording.record,
    "Dial": dialing.dial,
    "Redirect": steering.redirect,
    "Hangup": steering.hang_up,
    "Reject": steering.reject,
}
