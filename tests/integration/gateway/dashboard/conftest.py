"""A real nginx that serves a small dashboard."""

import gzip
from dataclasses import replace

import pytest

from tests.integration.gateway.nginx.conftest import new_config, running

SCRIPT = "export const first = 1;\n" * 200
PAGE = '<!doctype html><title>Small</title><script type="module" src="/admin/assets/index-A1b2_c3.js"></script>'


@pytest.fixture
def dist(tmp_path):
    """The built files, with what must not be served beside them."""
    made = tmp_path / "built files"
    (made / "assets").mkdir(parents=True)
    files = {"index.html": PAGE, "icon.svg": "<svg/>", "assets/index-A1b2_c3.js": SCRIPT, "assets/index-A.css": "a{}"}
    for name, text in files.items():
        (made / name).write_text(text)
        (made / f"{name}.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    (made / ".secret").write_text("hush")
    (made / "assets" / ".secret").write_text("hush")
    (tmp_path / "secret.txt").write_text("hush")
    return made


@pytest.fixture
def gateway(dist):
    with new_config() as config, running(replace(config, dashboard_dir=dist)) as gateway:
        yield gateway


@pytest.fixture
def page(gateway):
    """Return a function that gets an address without following redirects."""

    def get(path, method="GET", **headers):
        return gateway.client.request(method, gateway.url + path, headers=headers)

    return get
