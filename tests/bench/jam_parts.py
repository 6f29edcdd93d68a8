"""The parts of `make bench-jam`: each gives figures and lines of the table."""

import json
import os
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from osc_bridge.client import Client
from osc_bridge.codec import bundle, decode, encode
from osc_bridge.messages import Message
from tests.bench.cable import EARLY_MS, Midi, far_end, heard, midi, unpaired
from tests.bench.players import Account, Human, bars_of, start_of
from tests.bench.server import Server, running, wait_until_ready
from tests.bench.table import OUT, quantile, save_rows

BPM = 160.0
BEAT = 60 / BPM
Told = tuple[dict[str, Any], list[tuple[str, ...]]]


@contextmanager
def observer(server: Server, session: str) -> Iterator[Client]:
    """A client that hears a session's jam and plays nothing."""
    with Client("127.0.0.1", server.port, transport="udp", timeout=20, name="observer") as client:
        client.hello()
        client.call("/musai/session", session)
        client.call("/musai/jam", "voice", 9)
        yield client


def listened(client: Client, until: float, account: Account) -> None:
    """Take in all that comes until then."""
    while (left := until - time.monotonic()) > 0:
        for reply in client.listen(min(left, 0.5)):
            account.add(time.monotonic(), reply)


def main_jam(server: Server, minutes: float, seed: int) -> Told:
    """Call and response every two bars, four voices, over MIDI."""
    cycle = 16 * BEAT
    cycles = max(2, round(60 * minutes / cycle))
    account, far = Account(), OUT / "jam_far.json"
    options = ("--clock", "own", "--tempo", str(BPM), "--session", "main", "--bars", "2")
    with (
        midi(server.tcp, OUT / "jam_sent.txt", *options) as port,
        observer(server, "main") as client,
    ):
        beat0 = start_of(client)
        start = beat0 + (int((time.monotonic() + 4 - beat0) / cycle) + 1) * cycle
        with far_end(far, start=start, bpm=BPM, cycles=cycles, seed=seed):
            listened(client, start + cycles * cycle + 2, account)
    sent, messages = port.sent(), heard(far)
    near = [1000 * abs(at - due) for due, at, strikes in sent if strikes]
    arrived = [at for at, message in messages if message[0] & 0xF0 == 0x90]
    # Order is kept on the way, so strikes pair up in order.
    due = [due + EARLY_MS / 1000 for due, _, strikes in sent if strikes]
    away = [1000 * abs(at - when) for when, at in zip(due, arrived, strict=False)]
    played = [1000 * (at - when) for when, at, _ in json.loads(far.read_text())["played"]]
    takes = list(account.takes.values())
    missed = account.missed + 2 * (cycles - sum(bool(take["notes"]) for take in takes))
    rows = [
        {"take": number, "notes": len(take["notes"]), "sounded": take["sounded"],
         "told_before_start_ms": 1000 * (beat0 + take["start"] / 480 * BEAT - (take["first"] or 0)),
         "overlap_before_end_ms": 1000 * (beat0 + take["start"] / 480 * BEAT + 8 * BEAT - (take["overlap"] or 0)),
         "changed": take["changed"], "phrase": take["phrase"]}
        for number, take in account.takes.items()
    ]  # fmt: skip
    save_rows("jam_takes", rows)
    save_rows("jam_onsets", [{"near_ms": a, "far_ms": b} for a, b in zip(near, away, strict=False)])
    within = sum(row["overlap_before_end_ms"] > -4000 * BEAT for row in rows if row["phrase"])
    figures = {
        "bars": 2 * cycles, "missed_bars": missed, "late_notes": account.late,
        "stuck_notes": unpaired(messages) + abs(len(arrived) - len(near)),
        "notes_sounded": len(near), "notes_lost": sum(take["sounded"] for take in takes) - len(arrived),
        "committed_changed": sum(take["changed"] for take in takes),
        "onset_error_ms_p99": round(quantile(near, 0.99), 3), "onset_error_ms_max": round(max(near), 3),
        "onset_error_far_ms_p99": round(quantile(away, 0.99), 3),
        "human_late_ms_p99": round(quantile(played, 0.99), 3),
        "overlaps_within_a_bar": within, "phrases": sum(bool(row["phrase"]) for row in rows),
    }  # fmt: skip
    lines = [
        ("bars answered, of those missed", f"{2 * cycles}, {missed}"),
        ("notes sounded, left out as late", f"{len(near)}, {account.late}"),
        ("onset error against the server's clock, p99", f"{figures['onset_error_ms_p99']:.2f} ms"),
        ("onset error at the other end, p99", f"{figures['onset_error_far_ms_p99']:.2f} ms"),
        ("overlap told within a bar of the phrase's end", f"{within} of {figures['phrases']}"),
    ]
    return figures, lines


def turns(server: Server, count: int, seed: int) -> Told:
    """From the last release and "your turn" to the first answering note, as a client sees it."""
    human = Human(server.port, seed=seed, bpm=BPM, voices=4, call_bars=1, answer_bars=1,
                  session="turns", turn=True, cycles=count)  # fmt: skip
    human.start()
    human.join((count + 2) * 8 * BEAT + 60)
    waits, rows = [], []
    for number, (at, known) in enumerate(human.turns):
        take = human.account.takes.get(known + 1)
        first = None if take is None or take["first"] is None else 1000 * (take["first"] - at)
        rows.append({"turn": number, "first_ms": first})
        waits += [] if first is None else [first]
    human.close()
    save_rows("jam_turns", rows)
    if human.fault is not None:
        raise RuntimeError(f"the human stopped: {human.fault!r}")
    figures = {
        "answer_ms_p50": round(quantile(waits, 0.5), 2),
        "answer_ms_p95": round(quantile(waits, 0.95), 2),
        "turns": len(human.turns), "turns_lost": len(human.turns) - len(waits),
    }  # fmt: skip
    line = (
        "end of the human's phrase to the first note, p95",
        f"{figures['answer_ms_p95']:.1f} ms",
    )
    return figures, [line]


def crowd(server: Server, seconds: float, seed: int) -> Told:
    """Eight clients in four sessions."""
    cycles = max(2, round(seconds / (16 * BEAT)))
    humans = [
        Human(server.port, seed=seed + 10 * session + member, bpm=BPM, lead=member == 0,
                      session=f"crowd {session}", voice=member, cycles=cycles)
        for session in range(4) for member in range(2)
    ]  # fmt: skip
    for human in humans:
        human.start()
    for human in humans:
        human.join(cycles * 16 * BEAT + 60)
    rows, lost, missed = [], 0, 0
    for number, human in enumerate(humans):
        takes = list(bars_of(human))
        rows += [{"client": number, **take} for take in takes]
        whole = sum(
            take["whole"] and take["notes"] > 0 and take["overlap_ms"] is not None for take in takes
        )
        lost += max(0, cycles - whole)
        missed += human.account.missed if human.voice == 0 else 0
        human.close()
        if human.fault is not None:
            raise RuntimeError(f"client {number} stopped: {human.fault!r}")
    save_rows("jam_crowd", rows)
    figures = {"clients": len(humans), "sessions": 4, "lost_answers": lost, "crowd_missed_bars": missed,
               "crowd_answers": cycles * len(humans)}  # fmt: skip
    return figures, [
        ("8 clients in 4 sessions: answers, lost, bars missed", f"{cycles * 8}, {lost}, {missed}")
    ]


def pings(server: Server, stop: threading.Event, waits: list[float]) -> None:
    """How long a packet waits for its answer, a hundred times a second."""
    with Client("127.0.0.1", server.port, transport="udp", timeout=20) as client:
        client.hello()
        while not stop.wait(0.01):
            began = time.monotonic()
            client.call("/musai/sync")
            waits.append(1000 * (time.monotonic() - began))


def burst(server: Server, seed: int) -> Told:
    """2,000 packets in a second, then what nobody should send, while a jam goes on."""
    human = Human(
        server.port,
        seed=seed,
        bpm=BPM,
        call_bars=1,
        answer_bars=1,
        session="burst",
        cycles=8,
    )
    human.start()
    stop, waits = threading.Event(), list[float]()
    pinger = threading.Thread(target=pings, args=(server, stop, waits))
    pinger.start()
    time.sleep(2)
    before = max(waits)
    unanswered = _burst(server)
    codes = _evil(server)
    human.join(8 * 8 * BEAT + 30)
    stop.set()
    pinger.join()
    human.close()
    if human.fault is not None:
        raise RuntimeError(f"the human stopped: {human.fault!r}")
    whole = sum(bool(take["phrase"]) for take in human.account.takes.values())
    figures = {
        "burst_unanswered": unanswered, "stall_ms_max": round(max(waits), 2),
        "stall_ms_before": round(before, 2), "evil_answers": codes,
        "burst_missed_bars": human.account.missed + max(0, 8 - whole),
    }  # fmt: skip
    lines = [
        ("2,000 packets in a second: unanswered and uncounted", str(unanswered)),
        ("longest wait of any packet meanwhile", f"{max(waits):.1f} ms"),
        ("bars missed meanwhile", str(figures["burst_missed_bars"])),
    ]
    return figures, lines


@contextmanager
def _raw(server: Server) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**22)
        raw.connect(("127.0.0.1", server.port))
        raw.settimeout(10)
        raw.send(encode(Message("/musai/hello", (-1,))))
        raw.recv(2000), raw.recv(2000)
        yield raw
        raw.send(encode(Message("/musai/bye", (-2,))))


def _burst(server: Server) -> int:
    kinds: list[tuple[Any, ...]] = [
        ("/musai/sync",), ("/musai/nothing",), ("/musai/set", "bars", 99), ("/musai/keep", 1),
    ]  # fmt: skip
    packets = [encode(Message(kinds[i % 4][0], (i, *kinds[i % 4][1:]))) for i in range(2000)]

    def send() -> None:
        began = time.monotonic()
        for number, packet in enumerate(packets):
            raw.send(packet)
            if number % 20 == 19:
                time.sleep(max(0.0, began + (number + 1) / 2000 - time.monotonic()))

    with _raw(server) as raw:
        sender = threading.Thread(target=send)
        sender.start()
        answered, withheld = set[Any](), 0
        try:
            while len(answered) + withheld < 2000:
                message = decode(raw.recv(2000), 0.0, 2000)[0].item
                assert isinstance(message, Message)
                args: Any = message.args
                if message.path == "/musai/withheld":
                    withheld += args[0]
                    continue
                answered.add(args[0])
                withheld += args[4] if message.path == "/musai/error" else 0
        except TimeoutError:
            pass
        sender.join()
    return 2000 - len(answered) - withheld


def _evil(server: Server) -> dict[str, str]:
    """What nobody should send, and the answer to each."""
    ahead = datetime.now(UTC).timestamp() + 20
    packets = {
        "timetag 20 s ahead": bundle([encode(Message("/musai/generate", (1,)))], ahead),
        "garbage": b"\x00\xff" * 300,
        "wrong type": encode(Message("/musai/generate", (3, "bars", "many"))),
        "unknown address": encode(Message("/musai/zzz", (4,))),
        "NaN": encode(Message("/musai/transport", (5, float("nan"), 0.0, 1))),
        "60 KB list": encode(Message("/musai/context", (6, *range(9000)))),
    }
    answers = {}
    with _raw(server) as raw:
        raw.settimeout(1.0)
        for name, packet in packets.items():
            raw.send(packet)
            try:
                message = decode(raw.recv(2000), 0.0, 2000)[0].item
                answers[name] = str(message.args[1]) if isinstance(message, Message) else "?"
            except TimeoutError:
                answers[name] = "counted"
    return answers


def ends(home: Path) -> Told:
    """Every way in which a jam may end while notes sound."""
    stuck, lines = 0, []
    for way in ("stop", "panic", "worker killed", "client killed", "server killed"):
        with running(home, None) as server:
            wait_until_ready(server)
            wrong, struck = _end(server, way)
        stuck += wrong
        lines.append((f"{way}: notes struck, left sounding", f"{struck}, {wrong}"))
    return {"stuck_notes": stuck, "ways_to_end": len(lines)}, lines


def _end(server: Server, way: str) -> tuple[int, int]:
    far = OUT / "jam_end.json"
    options = ("--clock", "own", "--tempo", str(BPM), "--session", "end")
    with midi(server.tcp, OUT / "jam_end.txt", *options) as port, observer(server, "end") as client:
        beat0 = start_of(client)
        start = beat0 + (int((time.monotonic() + 3 - beat0) / (16 * BEAT)) + 1) * 16 * BEAT
        with far_end(far, start=start, bpm=BPM, cycles=1):
            listened(client, start + 10.6 * BEAT, Account())
            _act(way, server, port, client)
            # Without its worker the jam goes on, so the answer is heard to its end.
            time.sleep(7.5 * BEAT if way == "worker killed" else 1.5)
    messages = heard(far)
    return unpaired(messages), sum(message[0] & 0xF0 == 0x90 for _, message in messages)


def _act(way: str, server: Server, port: Midi, client: Client) -> None:
    acts: dict[str, Callable[[], object]] = {
        "stop": lambda: client.call("/musai/transport", BPM, 0.0, False),
        "panic": lambda: client.call("/musai/panic"),
        "worker killed": lambda: os.kill(_worker(server), signal.SIGKILL),
        "client killed": port.process.kill,
        "server killed": server.process.kill,
    }
    acts[way]()


def _worker(server: Server) -> int:
    with urllib.request.urlopen(f"{server.web.rstrip('/')}/api/describe", timeout=10) as reply:
        return int(json.load(reply)["workers"]["play"]["pid"])
