"""Measure slow requests of one address against nginx behind the firewall. Run it in a separate network namespace.

`python -m tests.integration.gateway.nginx.slow_headers NGINX_CONF RULES PORT FAMILY CONNECTIONS` prints the number of
the address's accepted connections, and the first line of the response to another address.
"""

import json
import resource
import socket
import subprocess
import sys
import time

# Documentation addresses (RFC 5737, RFC 3849): the slow client, and one in another network.
ADDRESSES = {"4": ("192.0.2.1", "192.0.2.2"), "6": ("2001:db8:0:1::1", "2001:db8:0:2::1")}
FAMILIES = {"4": socket.AF_INET, "6": socket.AF_INET6}
TIMEOUT_S = 5.0


def main() -> None:
    configuration, rules, port, family, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5]
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(wanted) + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    slow, other = ADDRESSES[family]
    done("ip", "link", "set", "lo", "up")
    for each in (slow, other):
        done("ip", "address", "add", each, "dev", "lo")
    done("nft", "-f", rules)
    nginx = subprocess.Popen(["nginx", "-c", configuration, "-e", "stderr"], stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + TIMEOUT_S
        while not (first := begun(other, slow, port, family)):
            assert nginx.poll() is None and time.monotonic() < until, "nginx did not start"
            time.sleep(0.02)
        first.close()
        connections = []
        for number in range(int(wanted)):
            if number == int(wanted) // 2:
                # Load the rules again, like an operator.
                done("nft", "-f", rules)
            connections += filter(None, [begun(slow, slow, port, family)])
        last = begun(other, slow, port, family)
        assert last, "the firewall refused the other address"
        last.sendall(b"/play/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = last.recv(4_096).partition(b"\r\n")[0].decode()
        print(json.dumps({"let_in": len(connections), "answer": answer}))
    finally:
        nginx.terminate()
        nginx.wait(TIMEOUT_S)


def done(*command: str) -> None:
    subprocess.run(command, check=True, timeout=TIMEOUT_S)


def begun(source: str, target: str, port: int, family: str) -> socket.socket | None:
    """Return a connection with the start of a request, or None if it was refused."""
    connection = socket.socket(FAMILIES[family])
    connection.settimeout(TIMEOUT_S)
    connection.bind((source, 0))
    try:
        connection.connect((target, port))
    except ConnectionRefusedError:
        connection.close()
        return None
    connection.sendall(b"GET ")
    return connection


if __name__ == "__main__":
    main()
