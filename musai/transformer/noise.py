"""The noise of a draw: a pure function of (seed, event, field, attempt), the same everywhere.

Philox4x64-10 (Salmon et al. 2011) from numpy, of which only the words of
`random_raw` are used: they are stable across releases (pinned by known
answers in the tests).  The logarithm uses nothing but the four operations,
each rounded as IEEE 754 says, so no processor, library or instruction set
changes a bit of it.
"""

import hashlib
from math import frexp

import numpy as np
from numpy.typing import NDArray

_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_ODD = [2.0 / (2 * k + 1) for k in range(13)]


FEW = 12
"""Numbers whose logarithms are sooner worked out one by one, by the same operations."""


def key_of(seed: int) -> NDArray[np.uint64]:
    """The Philox key of a seed: it depends on the seed alone."""
    digest = hashlib.sha256(b"musai-draw-1" + seed.to_bytes(8, "little")).digest()
    return np.frombuffer(digest[:16], np.uint64).copy()


class Noise:
    """Gumbel noise of one seed."""

    def __init__(self, seed: int) -> None:
        self._philox = np.random.Philox(key=key_of(seed))
        self._state = self._philox.state

    def words(self, event: int, field: int, attempt: int, count: int) -> NDArray[np.uint64]:
        """`count` 64-bit words at counter (0, event, field, attempt)."""
        state = self._state
        state["state"]["counter"][:] = (0, event, field, attempt)
        state["buffer_pos"] = 4
        state["has_uint32"] = 0
        self._philox.state = state
        return self._philox.random_raw(count)

    def gumbel(
        self,
        event: int,
        field: int,
        count: int,
        attempt: int = 0,
        among: NDArray[np.intp] | None = None,
    ) -> NDArray[np.float64]:
        """Standard Gumbel values of `count` choices, or of those `among` them that matter."""
        words = self.words(event, field, attempt, count)
        if among is not None:
            words = words[among]
        # 52 bits and a half: strictly between 0 and 1, exact in float64.
        uniform = ((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
        return -log(-log(uniform))


def log(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Natural logarithm of positive normal numbers, within 2 units in the last place.

    x = m 2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s), s = (m - 1) / (m + 1), by its
    series, whose thirteen terms reach 2^-53 for |s| <= 0.1716.
    """
    if x.ndim == 1 and len(x) <= FEW:
        return np.array([_log(one) for one in x.tolist()])
    mantissa, exponent = np.frexp(x)
    low = mantissa < 0.7071067811865476
    mantissa = np.where(low, mantissa * 2.0, mantissa)
    power = (exponent - low).astype(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    square = s * s
    series = np.full_like(s, _ODD[-1])
    for coefficient in _ODD[-2:0:-1]:
        series = series * square + coefficient
    # The leading 2 s apart, so that its rounding stays the largest one.
    return power * _LN2_HIGH + (power * _LN2_LOW + s * square * series + 2.0 * s)


def _log(x: float) -> float:
    """`log` of one number, bit for bit."""
    mantissa, exponent = frexp(x)
    if mantissa < 0.7071067811865476:
        mantissa, exponent = mantissa * 2.0, exponent - 1
    s = (mantissa - 1.0) / (mantissa + 1.0)
    square, series = s * s, _ODD[-1]
    for coefficient in _ODD[-2:0:-1]:
        series = series * square + coefficient
    return exponent * _LN2_HIGH + (exponent * _LN2_LOW + s * square * series + 2.0 * s)
