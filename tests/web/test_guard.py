import pytest
from starlette.datastructures import Headers

from musai.web.guard import Guard, security_headers

GUARD = Guard(app=None)  # type: ignore[arg-type]


def refusal(kind="http", method="GET", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return GUARD.refusal(Headers(named), kind, method)


@pytest.mark.parametrize("host", ["127.0.0.1:7734", "localhost:7734", "LOCALHOST", "[::1]:7734"])
def test_this_machines_own_names_are_answered(host):
    assert refusal(host=host) == ""


@pytest.mark.parametrize(
    "host",
    ["evil.example:7734", "127.0.0.1.evil.example", "", "192.168.1.5:7734", "localhost.evil"],
)
def test_a_name_pointed_at_this_machine_is_not(host):
    assert "127.0.0.1" in refusal(host=host)


def test_no_host_at_all_is_refused():
    assert refusal()


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://127.0.0.1:7734", True),
        ("http://localhost:7734", False),
        ("http://127.0.0.1:8000", False),
        ("https://127.0.0.1:7734", False),
        ("http://evil.example", False),
        ("null", False),
    ],
)
@pytest.mark.parametrize(("kind", "method"), [("websocket", "GET"), ("http", "POST")])
def test_what_may_change_something_comes_from_this_very_page(kind, method, origin, allowed):
    assert (refusal(kind, method, host="127.0.0.1:7734", origin=origin) == "") == allowed


def test_reading_needs_no_origin():
    assert refusal(host="localhost:1", origin="http://evil.example") == ""


@pytest.mark.parametrize(
    ("site", "allowed"), [("same-origin", True), ("none", True), ("cross-site", False)]
)
def test_a_browser_that_hides_its_origin_is_asked_for_its_site(site, allowed):
    told = refusal("http", "POST", host="localhost:1", sec_fetch_site=site)
    assert (told == "") == allowed


def test_a_program_that_is_no_browser_may_open_a_stream():
    assert refusal("websocket", host="127.0.0.1:7734") == ""


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere():
    policy = security_headers("127.0.0.1:7734")["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http:" not in policy
    assert "*" not in policy
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
