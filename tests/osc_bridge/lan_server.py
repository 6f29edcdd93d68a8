"""`musai serve --lan` in a network of its own: run by a test inside `unshare`, prints JSON.

The network has one more address than loopback; a client that speaks from there
is another machine to the server.
"""

import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from osc_bridge.client import Client
from osc_bridge.codec import encode
from osc_bridge.errors import Refused
from osc_bridge.messages import Message

ELSEWHERE = "10.9.9.1"
STRANGE = 200


def hello(host: str, port: int, token: str = "", kind: str = "tcp") -> str:
    """What a hello from there comes to."""
    try:
        with Client(host, port, transport=kind, timeout=30) as client:  # type: ignore[arg-type]
            return "welcome" if client.hello(token=token)["client"] else ""
    except Refused as refused:
        return refused.code


def page(host: str, port: int, token: str = "") -> int:
    """The status with which the HTTP API answers there."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://{host}:{port}/api/corpora", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def stranger(port: int) -> tuple[int, int]:
    """Bytes that a stranger sends and gets."""
    sent = got = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((ELSEWHERE, 0))
        one.settimeout(1.0)
        for number in range(STRANGE):
            kind = ("/musai/hello", "/musai/sync", "/nothing")[number % 3]
            sent += one.sendto(encode(Message(kind, (number,))), (ELSEWHERE, port))
        try:
            while True:
                got += len(one.recv(65_535))
        except TimeoutError:
            return sent, got


def main() -> None:
    """Serve, knock, tell."""
    command = [
        sys.executable,
        "-c",
        "from musai.cli import main; main()",
        "serve",
        "--lan",
        "--json",
    ]
    command += [
        "--port",
        "0",
        "--web-port",
        "0",
        "--with-parent",
        "--no-record",
        "--home",
        sys.argv[1],
    ]
    server = subprocess.Popen(
        [*command, "--model", "random"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdin is not None
    assert server.stdout is not None
    assert server.stderr is not None
    told = json.loads(server.stdout.readline())
    line = server.stderr.readline()
    while "token" not in line:
        line = server.stderr.readline()
    token = re.sub(r".*: ", "", line).strip()
    udp, tcp = (urlsplit(told["osc"][kind]).port or 0 for kind in ("udp", "tcp"))
    web = urlsplit(told["web"]).port or 0
    said = {
        "here": hello("127.0.0.1", tcp),
        "without": hello(ELSEWHERE, tcp),
        "wrong": hello(ELSEWHERE, udp, "wrong" + token, "udp"),
        "tcp": hello(ELSEWHERE, tcp, token),
        "udp": hello(ELSEWHERE, udp, token, "udp"),
        "page": [page("127.0.0.1", web), page(ELSEWHERE, web, token)],
        "page without": [page(ELSEWHERE, web), page(ELSEWHERE, web, "wrong" + token)],
        "stranger": stranger(udp),
        "mode": oct(os.stat(os.path.join(sys.argv[1], "lan-token")).st_mode & 0o777),  # noqa: PTH116, PTH118
    }
    server.stdin.close()
    server.wait(30)
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "addr", "add", f"{ELSEWHERE}/32", "dev", "lo"], check=True)
    main()
