"""The RQ jobs of `jobs`, by name: who enqueues one does not know what it does."""

#: order id: look at the recordings of the order, then dispatch it.
FINISH_RECORDING = "jobs.recordings.finish_recording"
#: id of the call: place a call about an order.
PLACE_CALL = "jobs.placed_calls.place_call"
#: `<RecordingSid>-<name>`: bring a recording from the cloud.
FETCH_RECORDING = "jobs.cloud_recordings.fetch_recording"
#: name: the cloud says that there will never be such a recording.
LOSE_RECORDING = "jobs.cloud_recordings.lose_recording"
#: `all`: what orders wait for and nobody told us of.
SWEEP_RECORDINGS = "jobs.cloud_recordings.sweep_recordings"

#: They move sound over the internet: whatever else there is to do goes before.
SLOW = frozenset({FETCH_RECORDING, SWEEP_RECORDINGS})
EVERY = frozenset({FINISH_RECORDING, PLACE_CALL, FETCH_RECORDING, LOSE_RECORDING, SWEEP_RECORDINGS})
