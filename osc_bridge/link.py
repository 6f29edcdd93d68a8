"""Ableton Link, when asked for: joins the session of this network and tells its transport.

Link finds its peers by multicast, so nothing here runs unless somebody asks
for it by name.  aalink is an optional dependency (its licence is the GPL).
"""

import asyncio
import importlib.util
from collections.abc import Callable
from typing import Final

from osc_bridge.errors import BridgeError
from osc_bridge.midiclock import Told

EVERY: Final = 2.0
"""Seconds after which the position is told though nothing has changed."""
MOVED: Final = 0.03
"""Quarters by which the position may be off what was told before it is told anew."""


LOOK: Final = 0.02
"""Seconds between looks."""


class NoLink(BridgeError):
    """aalink is not installed."""


class Link:
    """One peer.  Make it in a running asyncio loop."""

    def __init__(self, tempo: float) -> None:
        """Join; `tempo` holds where nobody else is there.  Raises `NoLink`."""
        try:
            import aalink
        except ImportError as error:
            raise NoLink("Ableton Link needs aalink: pip install musai[daw]") from error
        self._link = aalink.Link(tempo, asyncio.get_running_loop())
        self._link.enabled = True
        self._link.start_stop_sync_enabled = True
        self._told: Told | None = None
        self._at = 0.0
        self._stops = False

    @property
    def peers(self) -> int:
        """How many others are there."""
        return int(self._link.num_peers)

    def look(self, now: float) -> Told | None:
        """What to tell, if anything; call it some fifty times a second."""
        beat, tempo = float(self._link.beat), float(self._link.tempo)
        # A session in which nobody starts or stops anything simply rolls.
        self._stops = self._stops or bool(self._link.playing)
        playing = bool(self._link.playing) or not self._stops
        told = self._told
        if told is not None and (told.tempo, told.playing) == (tempo, playing):
            expected = told.beat + (now - self._at) * tempo / 60 if playing else told.beat
            still = not playing or (abs(beat - expected) < MOVED and now - self._at < EVERY)
            if still:
                return None
        self._told, self._at = Told(tempo, beat, playing), now
        return self._told

    def close(self) -> None:
        """Leave."""
        self._link.enabled = False


class Links:
    """The sessions of a server that follow Link, each a peer of its own."""

    def __init__(self, tell: Callable[[str, Told], None]) -> None:
        """`tell` is called with a session's name and what Link tells it."""
        self._tell = tell
        self._links: dict[str, Link] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def there(self) -> bool:
        """Whether Link is installed."""
        return importlib.util.find_spec("aalink") is not None

    def follow(self, session: str, tempo: float | None) -> None:
        """Join for this session or, with None, leave.  Call it in a running loop."""
        link = self._links.pop(session, None)
        if link is not None:
            link.close()
        if tempo is not None:
            self._links[session] = Link(tempo)
            if self._task is None:
                self._task = asyncio.get_running_loop().create_task(self._look())

    def close(self) -> None:
        """Leave all."""
        for session in list(self._links):
            self.follow(session, None)

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while self._links:
            for session, link in list(self._links.items()):
                told = link.look(loop.time())
                if told is not None:
                    self._tell(session, told)
            await asyncio.sleep(LOOK)
        self._task = None
