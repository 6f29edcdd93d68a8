"""The matching side of the service: corpora in use, the matcher's and the builder's posts.

While a corpus is being built phrases are not held up: they are told apart at
once as "grey", with how far the building is.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Literal

from musai.service import wire
from musai.service.child import Setting
from musai.service.crew import Crew, processes
from musai.service.post import Post

CorpusState = Literal["opening", "ready", "building", "indexing", "missing", "failed"]


@dataclass(frozen=True, slots=True)
class CorpusStatus:
    """One corpus as `ServiceLike.describe` tells of it."""

    name: str
    id: str | None = None
    works: int = 0
    state: CorpusState = "opening"
    progress: float = 0.0
    reason: str = ""

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def sentence(self) -> str:
        """Why there is no light yet, or an empty text."""
        if self.state == "ready":
            return f"the corpus {self.name!r} is here, but {self.reason}" if self.reason else ""
        if self.state in ("building", "indexing"):
            what = "is being built" if self.state == "building" else "is being prepared"
            stage = f" ({self.reason})" if self.reason else ""
            return f"the corpus {self.name!r} {what}, {self.progress:.0%}{stage}"
        if self.state == "opening":
            return f"the corpus {self.name!r} is being opened"
        return self.reason or f"the corpus {self.name!r} is not here"


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of a comparison: one row a corpus, the decisive one first; none where grey."""

    verdict: dict[str, Any]
    corpora: list[dict[str, Any]]
    ms: float


OnAnswer = Callable[[Answer], None]


def under_guard(answer: Answer, guard: Mapping[str, Any] | None) -> Answer:
    """An answer that says why so long a run may stand under the guard that was on."""
    found = answer.verdict
    if guard is None or found["longest_run"] < guard["notes"]:
        return answer
    if found["corpus"] not in [row["name"] for row in guard["corpora"]]:
        return answer
    why = (
        f"So long a run may stand under the guard of {guard['notes']} notes: {guard['stock_authors']} "
        "authors or more hold what it is made of, the prompt holds it, or its rhythm is a little off."
    )
    return replace(answer, verdict={**found, "sentence": f"{found['sentence']} {why}"})


@dataclass(slots=True)
class _Pending:
    phrase: wire.PhraseWire
    on_answer: OnAnswer
    asked: float
    thorough: bool = False
    sent: bool = False


def grey(why: str) -> dict[str, Any]:
    """The verdict where nothing was compared."""
    return {"light": "grey", "sentence": why, "p_value": None, "longest_run": 0, "corpus": None}


class Bench:
    """Compares phrases, one after another, and has the corpora built that can be."""

    def __init__(
        self,
        corpora: Sequence[str],
        matcher: str,
        builder: str,
        build: bool,
        setting: Setting,
    ) -> None:
        self._lock = threading.RLock()
        self._status = {name: CorpusStatus(name) for name in corpora}
        self._pending: dict[int, _Pending] = {}
        self._at_work = False
        self._may_build = build
        self._asked: set[tuple[wire.Build, str | None]] = set()
        self._to_build: list[wire.Build] = []
        self._crew = Crew(matcher, corpora, self._matched, setting, processes())
        self._match = Post("match", (matcher, *corpora), self._matched, self._match_gone, setting)
        self._build = Post("build", (builder,), self._building, self._build_gone, setting)
        if corpora:
            self._match.fill()

    @property
    def names(self) -> list[str]:
        """The corpora that were named, ready or not."""
        with self._lock:
            return list(self._status)

    @property
    def in_use(self) -> list[dict[str, str]]:
        """Name and id of every corpus that is ready."""
        with self._lock:
            ready = [s for s in self._status.values() if s.state == "ready" and s.id]
        return [{"name": status.name, "id": str(status.id)} for status in ready]

    @property
    def why_not(self) -> str:
        """Why a phrase that came now would stay grey; empty where it would not."""
        with self._lock:
            if not self._status:
                return "no corpus is in use"
            reasons = [s.sentence for s in self._status.values()]
        return "" if not all(reasons) else "; ".join(reasons)

    def compare(
        self, number: int, phrase: wire.PhraseWire, on_answer: OnAnswer, *, thorough: bool = False
    ) -> None:
        """Compare a phrase; `on_answer` comes from any thread, perhaps before this returns.

        What shall be thorough goes to processes of its own, so that it holds nothing else up.
        """
        with self._lock:
            held = any(s.state in ("ready", "opening") for s in self._status.values())
            if held and self._match.state in ("starting", "ready"):
                self._pending[number] = _Pending(phrase, on_answer, perf_counter(), thorough)
                self._send_pending()
                return
            if held:
                self._match.fill()
        why = self.why_not or "the process that compares is not running"
        on_answer(Answer(grey(why), [], 0.0))

    def forget(self, number: int) -> None:
        """Nobody waits for this answer any more."""
        with self._lock:
            self._pending.pop(number, None)
        self._crew.forget(number)

    def use(self, name: str) -> None:
        """Compare with this corpus from now on as well; opened anew where it is in use already."""
        with self._lock:
            self._status.setdefault(name, CorpusStatus(name))
            names = list(self._status)
            self._match.arguments = (*self._match.arguments[:1], *names)
            self._crew.use(names)
        if self._match.state == "ready":
            self._match.send(wire.Open(names))
        else:
            self._match.fill()

    def describe(self) -> dict[str, Any]:
        """Corpora, the light, and both posts."""
        with self._lock:
            corpora = [status.plain() for status in self._status.values()]
            busy = not all(pending.thorough for pending in self._pending.values())
        why = self.why_not
        return {
            "corpora": corpora,
            "light": {"ready": not why, "why": why},
            "match": self._match.describe(busy=busy),
            "build": self._build.describe(),
        }

    def close(self) -> None:
        """End the workers; what waits is answered grey."""
        self._build.close()
        self._match.close()
        self._crew.close()
        self._give_up("the service was closed", files=True)

    def _matched(self, message: wire.Up) -> None:
        if isinstance(message, wire.Ready):
            self._opened(message.about)
        elif isinstance(message, wire.Unready):
            self._give_up(message.reason)
        elif isinstance(message, wire.Found):
            self._answer(message.ticket, message.corpora[0]["verdict"], message.corpora)
        elif isinstance(message, wire.Unfound):
            self._answer(message.ticket, grey(message.reason), [])

    def _send_pending(self) -> None:
        if self._match.state != "ready":
            return
        for number, pending in self._pending.items():
            if not pending.sent:
                pending.sent = True
                asked = wire.Compare(number, pending.phrase, pending.thorough)
                if pending.thorough:
                    self._crew.compare(asked)
                else:
                    self._match.send(asked)

    def _opened(self, about: dict[str, Any]) -> None:
        """What the matcher could open; what is missing of it is built, once."""
        with self._lock:
            for row in about["corpora"]:
                status = CorpusStatus(**row)
                if status.state != "ready" and self._in_work(status.name):
                    continue
                self._status[status.name] = status
                if status.state == "missing":
                    self._want(wire.Build(status.name, "corpus"))
                elif status.state == "ready" and status.reason:
                    self._want(wire.Build(status.name, "null"))
            if set(self._status) - {row["name"] for row in about["corpora"]}:
                # One came into use while these were being opened.
                self._match.send(wire.Open(list(self._status)))
            none = not any(status.state == "ready" for status in self._status.values())
            if not none:
                self._send_pending()
            self._build_next()
            done = not self._to_build
        if none:
            self._give_up(self.why_not)
        if done:
            self._build.rest()

    def _in_work(self, name: str) -> bool:
        return any(build.corpus == name for build in self._to_build)

    def _want(self, build: wire.Build) -> None:
        """Have a part made, once for each state that the corpus is in."""
        old = self._status[build.corpus]
        if not self._may_build or (build, old.id) in self._asked:
            return
        self._asked.add((build, old.id))
        self._to_build.append(build)
        if build.part == "corpus":
            self._status[build.corpus] = replace(old, state="building", reason="")

    def _answer(self, number: int, verdict: dict[str, Any], rows: list[dict[str, Any]]) -> None:
        with self._lock:
            pending = self._pending.pop(number, None)
        if pending is not None:
            ms = 1000 * (perf_counter() - pending.asked)
            pending.on_answer(Answer(verdict, rows, ms))

    def _give_up(self, why: str, files: bool = False) -> None:
        """Answer what waits for the matcher; with `files` also what others have in hand."""
        with self._lock:
            numbers = [
                number
                for number, pending in self._pending.items()
                if files or not (pending.thorough and pending.sent)
            ]
        for number in numbers:
            self._answer(number, grey(why), [])

    def _match_gone(self, how: str) -> None:
        self._give_up(f"the process that compares {how} while it had this phrase in hand")

    def _build_next(self) -> None:
        if self._to_build:
            self._build.fill()
            if self._build.state == "ready" and not self._at_work:
                self._at_work = True
                self._build.send(self._to_build[0])

    def _building(self, message: wire.Up) -> None:
        with self._lock:
            if isinstance(message, wire.Ready):
                self._build_next()
            elif isinstance(message, wire.Progress):
                self._progress(message)
            elif isinstance(message, wire.Built):
                self._built(message.reason)

    def _progress(self, message: wire.Progress) -> None:
        old = self._status[message.corpus]
        far = f"{message.fraction:.0%}"
        if old.state == "ready":
            reason = f"its null, against which likeness is rated, is being made, {far}"
            self._status[message.corpus] = replace(old, reason=reason, progress=message.fraction)
        else:
            state: CorpusState = "building" if message.stage == "corpus" else "indexing"
            self._status[message.corpus] = replace(
                old, state=state, progress=message.fraction, reason=message.text
            )

    def _built(self, fault: str) -> None:
        """A part is done or has failed; the matcher looks again at what there is."""
        self._at_work = False
        build = self._to_build.pop(0)
        old = self._status[build.corpus]
        if not fault:
            if build.part == "corpus":
                self._status[build.corpus] = replace(old, state="opening", reason="")
            self._match.send(wire.Open(list(self._status)))
            self._crew.use(list(self._status))
        elif build.part == "corpus":
            self._status[build.corpus] = replace(old, state="failed", reason=fault)
        else:
            self._status[build.corpus] = replace(old, reason=f"its null cannot be made: {fault}")
        self._build_next()

    def _build_gone(self, how: str) -> None:
        """A builder that dies is not asked for the same part again."""
        with self._lock:
            if self._at_work:
                self._built(f"the process that builds it {how}")
