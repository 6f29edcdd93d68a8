"""A pool of reader processes: many files read at once, none of them able to harm the caller.

Each process reads one file at a time under limits of time, memory and size.
One that crashes or overruns is replaced and its file refused; the others go
on.  They are started as programs of their own (never forked), so a script
that builds a corpus needs no `if __name__ == "__main__"`.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import msgspec

from musai.corpus.reader import Reply, Request, receive, send


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may take."""

    seconds: float = 60.0
    memory: int = 2 * 2**30
    bytes: int = 32 * 2**20


class Reader:
    """One reader process, started when first needed and again after it dies."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._decoder = msgspec.msgpack.Decoder(Reply)

    def read(self, path: str, kind: str, sha256: str = "") -> Reply:
        """What a file holds, or why it is refused; never raises for what the file does."""
        process = self._started()
        overran = threading.Event()

        def stop() -> None:
            overran.set()
            process.kill()

        timer = threading.Timer(self.limits.seconds, stop)
        timer.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            send(process.stdin, Request(path, kind, self.limits.bytes, sha256))  # type: ignore[arg-type]
            data = receive(process.stdout)  # type: ignore[arg-type]
        except OSError:
            data = b""
        finally:
            timer.cancel()
        if data:
            return self._decoder.decode(data)
        code = self.close()
        if overran.is_set():
            return Reply(refused=f"reading it took longer than {self.limits.seconds:g} s")
        return Reply(refused=f"reading it crashed the reader (exit {code})")

    def close(self) -> int | None:
        """End the process; its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    continue
        try:
            return process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            one_thread = dict.fromkeys(
                ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
            )
            # The reader must find musai wherever the caller found it.
            paths = os.pathsep.join(entry for entry in sys.path if entry)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "musai.corpus.reader", str(self.limits.memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **one_thread, "PYTHONPATH": paths},
            )
        return self._process


def read_all(
    files: Sequence[tuple[str, str, str]], limits: Limits | None = None, workers: int = 0
) -> Iterator[tuple[int, Reply]]:
    """(index, reply) of every (path, kind, SHA-256 or empty), in order, read by `workers` processes.

    0 workers means one for each of up to four cores.
    """
    count = workers or min(4, os.cpu_count() or 1, max(1, len(files)))
    readers: SimpleQueue[Reader] = SimpleQueue()
    pool = [Reader(limits or Limits()) for _ in range(count)]
    for reader in pool:
        readers.put(reader)

    def read(index: int) -> Reply:
        reader = readers.get()
        try:
            return reader.read(*files[index])
        finally:
            readers.put(reader)

    executor = ThreadPoolExecutor(count)
    try:
        yield from _in_order(executor, read, len(files), ahead=4 * count)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
        for reader in pool:
            reader.close()


def _in_order(
    executor: ThreadPoolExecutor, read: Any, total: int, ahead: int
) -> Iterator[tuple[int, Reply]]:
    """Results in the order of the files, at most `ahead` of them waiting."""
    running: dict[int, Future[Reply]] = {}
    submitted = 0
    for index in range(total):
        while submitted < min(total, index + ahead):
            running[submitted] = executor.submit(read, submitted)
            submitted += 1
        future = running.pop(index)
        wait([future], return_when=FIRST_COMPLETED)
        yield index, future.result()
