"""Player: a model that answers a request in notes, one by one, in time order."""

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from musai.errors import BadRequest
from musai.music import Note, Phrase
from musai.transformer.checkpoint import CollectionStyle, Model, load
from musai.transformer.controls import RANGES
from musai.transformer.engine import Engine, one_thread
from musai.transformer.guarding import GuardLike, Tally, Watch, guarded
from musai.transformer.plan import Plan, make_plan
from musai.transformer.prefixes import Prefixes
from musai.transformer.request import Request
from musai.transformer.sampling import Chooser, choose
from musai.transformer.walk import Walk

PLANS: Final = 8
"""Plans that are kept, the last ones."""


class Player:
    """Opens a model once and answers any number of requests, each as if it were the first.

    >>> player = Player.open()                                  # doctest: +SKIP
    >>> phrase = player.play(Request(bars=4, seed=7))           # doctest: +SKIP
    """

    def __init__(self, model: Model) -> None:
        one_thread()
        self._model = model
        self._engine = Engine(model.shape, model.weights)
        self._prefixes = Prefixes(self._engine)
        self._plans: OrderedDict[tuple[Request, float], Plan] = OrderedDict()

    @classmethod
    def open(cls, model: str | Path | None = None) -> "Player":
        """The model of this name or folder, or the default one.  Raises `NotFound`, `Altered`."""
        return cls(load(model))

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def model_id(self) -> str:
        """SHA-256 of the weights file."""
        return self._model.model_id

    @property
    def collections(self) -> tuple[str, ...]:
        """Collections that a request may name."""
        return self._model.collections

    @property
    def styles(self) -> tuple[CollectionStyle, ...]:
        """What each of them is like: voices, tempo, metre, key."""
        return self._model.styles

    def describe(self) -> dict[str, Any]:
        """Name, id, size, collections and legal ranges, as JSON values."""
        return {
            "name": self.name,
            "model_id": self.model_id,
            "parameters": self._model.shape.parameters,
            "window": self._model.shape.window,
            "collections": list(self.collections),
            "ranges": {name: list(limits) for name, limits in RANGES.items()},
        }

    def generate(
        self,
        request: Request,
        guard: GuardLike | None = None,
        tally: Tally | None = None,
        chooser: Chooser = choose,
    ) -> Iterator[Note]:
        """The answer's notes in order of onset; ticks count from the answer's first bar line.

        A request with a guard needs that guard handed in; `tally` counts what it did; `chooser`
        draws each choice.  Raises `BadRequest` before the first note, never after it.
        """
        plan = self._plan(request)
        if request.guard is None:
            return self._notes(request, plan, chooser)
        if guard is None:
            raise BadRequest(f"guard is {request.guard}, but no corpus is in use to guard")
        watch = guard.watch(plan.voices, request.context)
        return self._notes(request, plan, chooser, watch, tally)

    def prefill(self, request: Request, topic: str = "", played: float = 1.0) -> Iterator[None]:
        """Read what this request begins with in advance, a block at each step.

        A later request that begins alike is then answered sooner, with the same notes.  `played`:
        how much of the context there is, 0 to 1, where more is to come.  Of each topic only what
        was read last is kept.
        """
        return self._prefixes.read(self._plan(request, played).beginning(), topic)

    def phrase(self, request: Request, notes: Iterable[Note]) -> Phrase:
        """The notes as a phrase with the answer's metre, voices and exact length in bars."""
        return self._plan(request).phrase(notes)

    def play(self, request: Request, guard: GuardLike | None = None) -> Phrase:
        """The whole answer at once."""
        return self.phrase(request, self.generate(request, guard))

    def _plan(self, request: Request, played: float = 1.0) -> Plan:
        """`make_plan`, or the plan made before of a request that differs by its seed alone: what was read
        in advance is asked for next, another take too, and a plan costs some milliseconds."""
        key = (replace(request, seed=0), played)
        plan = self._plans.pop(key, None) or make_plan(request, self._model, played)
        self._plans[key] = plan
        while len(self._plans) > PLANS:
            self._plans.popitem(last=False)
        # Reading moves the writer on, and the kept one must stay where it is.
        return replace(plan, writer=plan.writer.copy())

    def _notes(
        self,
        request: Request,
        plan: Plan,
        chooser: Chooser,
        watch: Watch | None = None,
        tally: Tally | None = None,
    ) -> Iterator[Note]:
        rows = plan.beginning()
        # Kept, so that the next take on this context need not read it again.
        for _ in self._prefixes.read(rows):
            pass
        walk = Walk(self._engine, request, plan, rows, self._prefixes.fork(rows), chooser)
        kept = deque(plan.kept_notes())
        if watch is not None:
            yield from guarded(walk, watch, kept, tally)
        while not walk.done:
            note = walk.push(walk.draw())
            if note is None:
                continue
            while kept and kept[0].onset <= note.onset:
                yield kept.popleft()
            yield note
        yield from kept
