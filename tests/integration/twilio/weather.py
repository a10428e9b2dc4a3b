"""What networks do to webhooks, as sets of rules with a name: what comes of a call must not depend on them."""

import dataclasses

from tests.cloud import Cloud
from tests.cloud.mischief import Drop, Echo, Hold, Latency, LoseAnswer, Repeat, Rule

_DOCUMENTS = r"/twilio/(?!prompts|status|leg|recording\?)"
_NOTICES = r"/twilio/(leg|status|recording\?)"
_ANSWERED = r"/twilio/(voice|keys|recorded|dialled|silence|fallback)"


class FirstOnly(Rule):
    """A trick that is played on a webhook when it comes, and not on its repetition."""

    def matches(self, url: str) -> bool:
        return Rule.matches(self, url) and self.seen % 2 == 1


#: What is done to webhooks: by name, the rules.
MISCHIEF: dict[str, tuple[Rule, ...]] = {
    "all repeated": (Rule(r"/twilio/", Repeat(2)),),
    "all answers lost once": (FirstOnly(_DOCUMENTS, LoseAnswer()),),
    "notices after the next webhook": (Rule(_NOTICES, Hold(past=1)),),
    "notices when all is over": (Rule(_NOTICES, Hold(past=99)),),
    "notices dropped": (Rule(_NOTICES, Drop()),),
    "documents dropped once": (FirstOnly(_DOCUMENTS, Drop()),),
    "documents once more after the next, and after three": (
        FirstOnly(_ANSWERED, Echo(past=1)),
        Rule(_ANSWERED, Echo(past=3)),
    ),
    "late": (Rule(r"/twilio/", Latency(0.15)),),
}
#: Of these the copies are to be looked at.
REPEATING = ("all repeated", "documents once more after the next, and after three")


def brew(cloud: Cloud, mischief: str) -> None:
    """Play one of them on all webhooks from now on."""
    cloud.mischief.add(*(dataclasses.replace(rule) for rule in MISCHIEF[mischief]))


def assert_copies_heard_the_same(cloud: Cloud, mischief: str) -> None:
    """A repetition hears what was said the first time."""
    copies = [(sent, copy) for sent, copy in cloud.webhooks.copies if sent.request.kind == "document"]
    assert copies or mischief not in REPEATING
    for sent, copy in copies:
        assert sent.answer is not None
        assert copy is not None
        assert copy.body == sent.answer.body, sent.request.url
