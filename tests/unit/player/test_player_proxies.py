import os

import pytest

from player.errors import BadVariableError
from player.http.proxies import Proxy, proxy_for

HTTP, OTHER = "http://proxy:3128", "http://other:3128"


@pytest.fixture
def environment(monkeypatch):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    return monkeypatch


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        *(({}, None), ({"HTTP_PROXY": HTTP}, Proxy("HTTP_PROXY", HTTP))),
        ({"HTTP_PROXY": OTHER, "http_proxy": HTTP}, Proxy("http_proxy", HTTP)),
        *(({"HTTP_PROXY": HTTP, "http_proxy": ""}, None), ({"https_proxy": "socks5://x:1"}, None)),
        ({"ALL_PROXY": "socks5://x:1", "http_proxy": HTTP}, Proxy("http_proxy", HTTP)),
        ({"all_proxy": " proxy:3128 "}, Proxy("all_proxy", HTTP)),
        ({"HTTP_PROXY": "https://[::1]:443"}, Proxy("HTTP_PROXY", "https://[::1]:443")),
    ],
)
def test_the_variable_of_the_scheme_goes_first(environment, variables, expected):
    for name, value in variables.items():
        environment.setenv(name, value)
    assert proxy_for("http://tv.example.org") == expected


REJECTED = "socks5://x:1 socks://x ftp://x http:// http://x:port http://x:99999 :// x\\y"


@pytest.mark.parametrize("value", [*REJECTED.split(), "http://a b"])
def test_other_proxies_are_rejected(environment, value):
    environment.setenv("HTTPS_PROXY", value)
    with pytest.raises(BadVariableError, match=r"^HTTPS_PROXY names .* only, such as http://.*NO_PROXY=tv\.example\."):
        proxy_for("https://tv.example.org")
    environment.setenv("no_proxy", "example.org")
    assert proxy_for("https://tv.example.org") is None


NAME, ADDRESS = "http://tv.example.org", "http://10.1.2.3"
EXCLUDED = [
    *(("*", NAME), ("localhost, tv.example.org", NAME), ("localhost 10.0.0.1\ttv.example.org", NAME)),
    *(("EXAMPLE.org", "http://TV.example.org."), (".example.org", "http://example.org"), ("*.example.org", NAME)),
    *(("tv.example.org:80", NAME), ("http://tv.example.org/", NAME), ("10.0.0.0/8", f"{ADDRESS}:8080")),
    *(("10.1.2.3:8080", f"{ADDRESS}:8080"), ("fd00::/8", "http://[fd12::1]")),
    *(("[::1]", "http://[::1]:8080"), ("[::1]:8080", "http://[::1]:8080")),
]
NOT_EXCLUDED = [
    *(("example.org", "http://badexample.org"), ("tv.example.org:8080", NAME), ("10.0.0.0/8", "http://11.1.2.3")),
    *(("2.3", ADDRESS), ("[::1]:8080", "http://[::1]:8081"), ("localhost,[::1]", "http://127.0.0.2")),
    *(("[::1,10.0.0.0/99,:,.,http://,[],a:b:c", ADDRESS), ("", ADDRESS)),
]


@pytest.mark.parametrize(
    ("no_proxy", "url", "is_excluded"),
    [*((*each, True) for each in EXCLUDED), *((*each, False) for each in NOT_EXCLUDED)],
)
def test_no_proxy(environment, no_proxy, url, is_excluded):
    environment.setenv("HTTP_PROXY", HTTP)
    environment.setenv("NO_PROXY", no_proxy)
    assert (proxy_for(url) is None) is is_excluded
