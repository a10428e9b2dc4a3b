"""One file a node of the call flow.

Each has `advance(call, event) -> Step | None` (None: nothing particular to this node, see `ivr.anywhere`) and
`present(call, facts) -> verbs`; a node that others lead to has `enter_<node>`.
"""
