"""Pd's file format, written: objects in columns, wires by name instead of by number."""

from collections.abc import Callable
from dataclasses import dataclass, field

FONT = 12
ROW = 26


@dataclass(frozen=True, slots=True)
class Node:
    """An outlet of an object of a canvas; `node.at(1)` is the second one."""

    canvas: "Canvas"
    number: int
    outlet: int = 0

    def at(self, outlet: int) -> "Node":
        """The same object, another outlet."""
        return Node(self.canvas, self.number, outlet)

    def into(self, other: "Node", inlet: int = 0) -> "Node":
        """A wire from this outlet; hands the other object back."""
        self.canvas.wires.append((self.number, self.outlet, other.number, inlet))
        return other

    def to(self, text: str, inlet: int = 0) -> "Node":
        """A new object below, wired from this outlet."""
        return self.into(self.canvas.obj(text), inlet)

    def msg(self, text: str) -> "Node":
        """A new message box below, wired from this outlet."""
        return self.into(self.canvas.msg(text))

    def send(self, name: str) -> None:
        """To a name."""
        self.to(f"s {name}")

    def then(self, *steps: "Step") -> None:
        """What happens one after the other: (kind, what) as in a trigger, the first one first."""
        trigger = self.to("t " + " ".join(kind for kind, _ in reversed(steps)))
        for outlet, (_, do) in reversed(list(enumerate(reversed(steps)))):
            do(trigger.at(outlet))


Step = tuple[str, Callable[[Node], object]]


def send(name: str) -> Callable[[Node], object]:
    """A step: to a name."""
    return lambda node: node.send(name)


def box(text: str) -> Callable[[Node], object]:
    """A step: into a new object."""
    return lambda node: node.to(text)


def wire(other: Node, inlet: int = 0) -> Callable[[Node], object]:
    """A step: into an object that is there."""
    return lambda node: node.into(other, inlet)


def say(text: str, name: str) -> Callable[[Node], object]:
    """A step: a message to a name."""
    return lambda node: node.msg(text).send(name)


@dataclass(slots=True)
class Canvas:
    """A patch, or with a name a subpatch; `size` is x, y, width and height of its window."""

    name: str = ""
    size: tuple[int, int, int, int] = (60, 60, 700, 500)
    lines: list[str] = field(default_factory=list)
    wires: list[tuple[int, int, int, int]] = field(default_factory=list)
    count: int = 0
    x: int = 20
    y: int = 20

    def column(self, x: int, title: str = "") -> None:
        """What follows stands in a column of its own, under its title."""
        self.x, self.y = x, 20
        if title:
            self._below("text", title)

    def add(self, kind: str, x: int, y: int, text: str) -> Node:
        """An object at a place, its text as the file wants it."""
        self.lines.append(f"#X {kind} {x} {y} {text};")
        self.count += 1
        return Node(self, self.count - 1)

    def obj(self, text: str) -> Node:
        """An object, below the last one."""
        return self._below("obj", text)

    def msg(self, text: str) -> Node:
        """A message box, below the last one."""
        return self._below("msg", text)

    def receive(self, name: str) -> Node:
        """From a name."""
        return self.obj(f"r {name}")

    def sub(self, inner: "Canvas", x: int, y: int) -> Node:
        """A subpatch, closed."""
        self.lines += inner.body()
        return self.add("restore", x, y, f"pd {inner.name}")

    def body(self) -> list[str]:
        """The lines of the file, from the first to the last wire."""
        place = " ".join(map(str, self.size))
        last = f"{self.name} 0" if self.name else str(FONT)
        wires = [f"#X connect {' '.join(map(str, one))};" for one in self.wires]
        return [f"#N canvas {place} {last};", *self.lines, *wires]

    def _below(self, kind: str, text: str) -> Node:
        made = self.add(kind, self.x, self.y, escaped(text))
        self.y += ROW
        return made


def escaped(text: str) -> str:
    """Commas, semicolons and dollars as the file wants them."""
    for sign in ",;":
        text = text.replace(sign, f" \\{sign} ").replace("  ", " ")
    return text.replace("$", "\\$").strip()


def label(text: str) -> str:
    """Words as one label."""
    return text.replace(" ", "\\ ")
