"""What all tests share: one thread, a home of their own, the same examples each time."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

# Before numpy is imported anywhere: two workers on two cores, not four threads on two.
for _name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA"):
    os.environ.setdefault(f"{_name}_NUM_THREADS", "1")
# Compiled loops outlive the homes that tests make and throw away.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(__file__).parents[1] / "out" / "kernels"))

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

settings.register_profile(
    "musai",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("musai")

PACKAGES = {
    "ardour7-lua": "ardour",
    "ip": "iproute2",
    "jackd": "jackd2",
    "lua5.4": "lua5.4",
    "luac5.4": "lua5.4",
    "chromedriver": "chromium-driver",
    "chromium": "chromium",
    "oscdump": "liblo-tools",
    "oscsend": "liblo-tools",
    "pd": "puredata-core",
    "unshare": "util-linux",
}
"""Debian's package for each program that a test drives: `@pytest.mark.host("oscsend", ...)`."""

_IN_CI = os.environ.get("CI", "").lower() in ("1", "true")


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test touches the user's own corpora, models and ledger."""
    home = tmp_path_factory.mktemp("home")
    before = os.environ.get("MUSAI_HOME")
    os.environ["MUSAI_HOME"] = str(home)
    yield home
    if before is None:
        del os.environ["MUSAI_HOME"]
    else:
        os.environ["MUSAI_HOME"] = before


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a host test whose programs are missing, saying which package has them."""
    for mark in item.iter_markers("host"):
        missing = [name for name in mark.args if shutil.which(name) is None]
        if missing:
            packages = " ".join(sorted({PACKAGES.get(name, name) for name in missing}))
            pytest.skip(f"no {', '.join(missing)} here (Debian: apt install {packages})")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Where everything must be installed (CI=true), a skipped host test is a failed one."""
    report = yield
    if _IN_CI and report.skipped and item.get_closest_marker("host"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"a host test may not be skipped when CI=true: {reason}"
    return report
