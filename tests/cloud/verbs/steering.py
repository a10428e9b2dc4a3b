"""Redirect, Hangup and Reject: where the call goes next."""

from tests.cloud.document import Node
from tests.cloud.execution import Execution
from tests.cloud.signals import CallOver, Source


async def redirect(run: Execution, node: Node) -> Source:
    """Another document."""
    return Source(run.resolve(node.text), node.attributes.get("method", "POST"))


async def hang_up(run: Execution, node: Node) -> None:
    """The end."""
    raise CallOver("hangup")


async def reject(run: Execution, node: Node) -> None:
    """The call is never answered: a busy tone, or an announcement that the number does not work."""
    if run.leg.status == "ringing":
        run.leg.become("busy" if node.attributes.get("reason") == "busy" else "no-answer")
    raise CallOver("reject")
