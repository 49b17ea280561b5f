"""The proxy for an address, and the hosts that NO_PROXY excludes."""

import os

import pytest

from player.errors import BadVariableError
from player.http.proxies import Proxy, proxy_for

HTTP, OTHER = "http://proxy:3128", "http://other:3128"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    return monkeypatch


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        ({"HTTP_PROXY": HTTP}, Proxy("HTTP_PROXY", HTTP)),
        ({"HTTP_PROXY": OTHER, "http_proxy": HTTP}, Proxy("http_proxy", HTTP)),
        ({"HTTP_PROXY": HTTP, "http_proxy": ""}, None),
        ({"ALL_PROXY": "socks5://x:1", "http_proxy": HTTP}, Proxy("http_proxy", HTTP)),
        ({"all_proxy": " proxy:3128 "}, Proxy("all_proxy", HTTP)),
        ({"https_proxy": "socks5://x:1"}, None),
        ({"HTTP_PROXY": "https://[::1]:443"}, Proxy("HTTP_PROXY", "https://[::1]:443")),
    ],
)
def test_the_variable_of_the_scheme_goes_first(
    environment: pytest.MonkeyPatch, variables: dict[str, str], expected: Proxy | None
) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)
    assert proxy_for("http://tv.example.org") == expected


@pytest.mark.parametrize(
    "value",
    ["socks5://x:1", "socks://x", "ftp://x", "http://", "http://x:port", "http://x:99999", "://", "http://a b", "x\\y"],
)
def test_other_proxies_are_rejected(environment: pytest.MonkeyPatch, value: str) -> None:
    environment.setenv("HTTPS_PROXY", value)
    with pytest.raises(BadVariableError, match=r"^HTTPS_PROXY names .* only, such as http://.*NO_PROXY=tv\.example\."):
        proxy_for("https://tv.example.org")
    environment.setenv("no_proxy", "example.org")
    assert proxy_for("https://tv.example.org") is None


@pytest.mark.parametrize(
    ("no_proxy", "url", "is_excluded"),
    [
        ("*", "http://tv.example.org", True),
        ("localhost, tv.example.org", "http://tv.example.org", True),
        ("localhost 10.0.0.1\ttv.example.org", "http://tv.example.org", True),
        ("EXAMPLE.org", "http://TV.example.org.", True),
        (".example.org", "http://example.org", True),
        ("*.example.org", "http://tv.example.org", True),
        ("example.org", "http://badexample.org", False),
        ("tv.example.org:80", "http://tv.example.org", True),
        ("tv.example.org:8080", "http://tv.example.org", False),
        ("http://tv.example.org/", "http://tv.example.org", True),
        ("10.0.0.0/8", "http://10.1.2.3:8080", True),
        ("10.0.0.0/8", "http://11.1.2.3", False),
        ("10.1.2.3:8080", "http://10.1.2.3:8080", True),
        ("2.3", "http://10.1.2.3", False),
        ("[::1]", "http://[::1]:8080", True),
        ("[::1]:8080", "http://[::1]:8080", True),
        ("[::1]:8080", "http://[::1]:8081", False),
        ("fd00::/8", "http://[fd12::1]", True),
        ("localhost,[::1]", "http://127.0.0.2", False),
        ("[::1,10.0.0.0/99,:,.,http://,[],a:b:c", "http://10.1.2.3", False),
        ("", "http://10.1.2.3", False),
    ],
)
def test_no_proxy(environment: pytest.MonkeyPatch, no_proxy: str, url: str, is_excluded: bool) -> None:
    environment.setenv("HTTP_PROXY", HTTP)
    environment.setenv("NO_PROXY", no_proxy)
    assert (proxy_for(url) is None) is is_excluded
