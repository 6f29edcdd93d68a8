"""What the Pd patch says to the server and hears from it."""

from scripts.pd_canvas import Canvas, Node, box, say, send, wire

NEVER = "1e+09"
"""A tick that no transport reaches."""
BAR = "480 * musai_beats"


def new_id(bang: Node) -> Node:
    """The next id, at each bang."""
    number = bang.to("v musai_id").to("+ 1").to("t f f")
    number.at(1).to("v musai_id")
    return number.at(0)


def command(asked: Node, kinds: str, address: str, *values: str) -> None:
    """At each bang a command with a new id and these values."""
    packed = asked.canvas.obj("pack f " + "f " * len(values))
    asked.then(
        *(
            ("b", lambda node, at=place, name=value: node.to(f"v {name}").into(packed, at))
            for place, value in enumerate(values, 1)
        ),
        ("b", lambda node: new_id(node).into(packed)),
    )
    packed.to(f"oscformat -f i{kinds} musai {address}").send("musai-out")


def net() -> Canvas:
    """The socket, hello, who hears which reply, and what is told again and again."""
    c = Canvas("net", (100, 100, 1050, 480))
    c.column(20, "connect, then hello; short 1: no long strings")
    c.receive("musai-port-box").to("v musai_port")
    c.receive("musai-connect").to("v musai_port").send("musai-port")
    line = c.obj("netsend -u -b")
    c.receive("musai-port").then(
        ("b", say("0", "musai-connected-set")),
        ("b", lambda node: node.msg("disconnect").into(line)),
        ("f", lambda node: node.msg("connect 127.0.0.1 $1").into(line)),
    )
    c.receive("musai-out").into(line)
    hello = new_id(line.to("sel 1")).msg("$1 1 0 pd 1")
    hello.to("oscformat -f iiisi musai hello").send("musai-out")
    c.column(390, "what the server says: each to its name")
    names = ("welcome", "started", "note", "end", "overlap", "error", "decision", "jam", "silence")
    heard = line.at(1).to("oscparse").to("list trim").to("route musai")
    routed = heard.to(f"route {' '.join(names)}")
    routed.at(0).then(("b", say("1", "musai-connected-set")), ("b", send("musai-ready")))
    for outlet, name in enumerate(names[1:7], 1):
        routed.at(outlet).send(f"musai-{name}")
    routed.at(8).to("t b").send("musai-silence")
    told = ("take", "note", "commit", "clear", "overlap", "end", "state", "failed", "silence")
    inner = routed.at(7).to(f"route {' '.join(told)}")
    for outlet, name in enumerate(told[:-1]):
        inner.at(outlet).send(f"musai-jam-{name}")
    inner.at(8).to("t b").send("musai-silence")
    c.column(720, "the transport, at each change and each second")
    c.receive("musai-play").to("metro 1000").send("musai-tell")
    c.receive("musai-moved").send("musai-tell")
    c.receive("musai-tell").then(
        ("b", send("musai-calc")),
        ("b", lambda node: node.to("v musai_now").to("/ 480").to("v musai_quarter")),
        ("b", send("musai-transport")),
    )
    command(
        c.receive("musai-transport"), "ffi", "transport",
        "musai_tempo", "musai_quarter", "musai_playing",
    )  # fmt: skip
    return c


def jam() -> Canvas:
    """Joining, what the human plays, and the buttons of the takes."""
    c = Canvas("jam", (120, 120, 1150, 620))
    c.column(20, "join and leave; what changes in between is told")
    changed = c.obj("spigot")
    c.receive("musai-jam").then(
        ("f", wire(changed, 1)),
        ("f", box("v musai_jam")),
        ("b", send("musai-tell")),
        ("f", lambda node: node.to("sel 0 1").at(0).send("musai-leave")),
        ("f", lambda node: node.to("sel 0 1").at(1).send("musai-join")),
    )
    for name in ("style", "call", "bars"):
        c.receive(f"musai-{name}").then(("f", box(f"v musai_{name}")), ("b", wire(changed)))
    changed.send("musai-join")
    styles = c.receive("musai-join").to("v musai_style").to("sel 0 1")
    for outlet, style in enumerate(("answer", "accompany")):
        packed = c.obj("pack f f f")
        styles.at(outlet).then(
            ("b", lambda node, to=packed: node.to("v musai_bars").into(to, 2)),
            ("b", lambda node, to=packed: node.to("v musai_call").into(to, 1)),
            ("b", lambda node, to=packed: new_id(node).into(to)),
        )
        asked = packed.msg(f"$1 style {style} call $2 bars $3")
        asked.to("oscformat -f isssisi musai jam").send("musai-out")
    c.column(420, "what the human plays, or a list of pitch and velocity to musai-human")
    gate = c.obj("spigot")
    c.receive("musai-jam").into(gate, 1)
    keys, pair = c.obj("notein"), c.obj("pack f f")
    keys.at(1).into(pair, 1)
    keys.at(0).into(pair)
    pair.into(gate)
    c.receive("musai-human").into(gate)
    parts = gate.to("unpack f f")
    packs = c.obj("pack f f f"), c.obj("pack f f")
    kind = c.obj("sel 0")
    parts.at(1).then(("f", wire(packs[0], 2)), ("f", box("v musai_velocity")))
    parts.at(0).then(
        ("f", wire(packs[0], 1)),
        ("f", wire(packs[1], 1)),
        ("b", lambda node: node.to("v musai_velocity").into(kind)),
    )
    new_id(kind.at(1).to("t b")).into(packs[0])
    new_id(kind.at(0)).into(packs[1])
    packs[0].to("oscformat -f iii musai jam on").send("musai-out")
    packs[1].to("oscformat -f ii musai jam off").send("musai-out")
    c.column(780, "buttons")
    for name in ("turn", "again", "vary", "back", "keep", "discard", "leave"):
        command(c.receive(f"musai-{name}"), "", f"jam {name}")
    panic = c.receive("musai-panic")
    command(panic, "", "panic")
    panic.to("t b").send("musai-silence")
    return c


def ask() -> Canvas:
    """A phrase from nothing, outside a jam: its notes start on a bar line."""
    c = Canvas("ask", (140, 140, 1000, 420))
    c.column(20, "musai-ask takes a list: bars seed tempo")
    words = c.receive("musai-ask").to("unpack f f f")
    for outlet, name in ((2, "tempo"), (1, "seed"), (0, "length")):
        words.at(outlet).send(f"musai-{name}-set")
    words.at(0).to("t b").send("musai-ask-now")
    c.receive("musai-length").to("v musai_length")
    c.receive("musai-seed").to("v musai_seed")
    packed = c.obj("pack f f f f")
    c.receive("musai-ask-now").then(
        ("b", lambda node: node.to("v musai_tempo").into(packed, 3)),
        ("b", lambda node: node.to("v musai_seed").into(packed, 2)),
        ("b", lambda node: node.to("v musai_length").into(packed, 1)),
        ("b", lambda node: new_id(node).into(packed)),
    )
    asked = packed.msg("$1 bars $2 seed $3 tempo $4")
    asked.to("oscformat -f isisisf musai generate").send("musai-out")
    c.column(350, "a stopped transport starts with the phrase")
    c.receive("musai-started").then(
        ("b", lambda node: node.to("v musai_playing").to("sel 0").send("musai-begin")),
        ("b", send("musai-calc")),
        ("b", lambda node: node.to(f"expr (int(musai_now / ({BAR})) + 1) * {BAR}").to("v musai_start")),
        ("b", lambda node: node.to("v musai_start").msg("0 0 $1").send("musai-jam-clear")),
        ("b", say(f"0 0 {NEVER}", "musai-jam-commit")),
    )  # fmt: skip
    c.receive("musai-begin").then(
        ("b", lambda node: node.to(f"expr {BAR} - 96").send("musai-locate")),
        ("b", say("1", "musai-play-set")),
    )
    c.column(680, "id index onset duration pitch velocity voice")
    told, stored = c.receive("musai-note").to("unpack f f f f f f f"), c.obj("pack f f f f f f")
    for outlet in (6, 5, 4, 3):
        told.at(outlet).into(stored, outlet - 1)
    at = told.at(2).to("expr $f1 + musai_start")
    at.then(("f", wire(stored, 1)), ("b", lambda node: node.msg("0").into(stored)))
    stored.send("musai-store")
    return c
