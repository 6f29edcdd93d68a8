"""Files written whole or not at all, and what to do when a disk is full."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from musai.errors import BadInput, NoSpace

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file in one step: written beside, synced, renamed; what was there stays until then.

    Raises `NoSpace` where the disk is full, `BadInput` where the place cannot be written.
    """
    with told_of_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            # mkstemp makes files for the owner alone; a report is a document like others.
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink(missing_ok=True)
            raise


@contextmanager
def told_of_disk(path: Path, kept: str = "what was there before is untouched") -> Iterator[None]:
    """Turn what the disk refuses into an error that says so, what is `kept`, and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NoSpace(
                f"{path} cannot be written: the disk is full or the quota is used up; {kept}. "
                "Make room there and do it again"
            ) from error
        raise BadInput(f"{path} cannot be written: {error.strerror or error}; {kept}") from error
