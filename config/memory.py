"""What our processes tell Python's collector of garbage."""

import gc

#: New objects after which the youngest are looked at. A turn makes some hundred of them, nearly none in circles; by
#: default (700) a webhook or two would be enough, and every hundredth time everything is looked at.
YOUNG = 20_000


def look_seldom() -> None:
    """Look less often. Before anything large is imported: by default the collector takes a third of the time that imports take."""
    gc.set_threshold(YOUNG, 20, 50)


def settle() -> None:
    """Once everything is loaded: what is there stays, and is not looked at again."""
    gc.collect()
    gc.freeze()
    look_seldom()
