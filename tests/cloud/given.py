"""The URLs that the application gives to the cloud, in documents and in REST requests."""

from collections.abc import Iterator, Sequence

from tests.cloud.document import Node

#: Attributes that are URLs.
ATTRIBUTES = ("action", "url", "waitUrl", "statusCallback", "recordingStatusCallback")
#: Elements whose text is one.
ELEMENTS = ("Redirect", "Play")


def urls_in(verbs: Sequence[Node]) -> Iterator[str]:
    """Every URL of a document, that of its sounds too."""
    for node in verbs:
        yield from (node.attributes[name] for name in ATTRIBUTES if name in node.attributes)
        if node.name in ELEMENTS and node.text:
            yield node.text
        yield from urls_in(node.nested)
