import stat
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import keyring
import pytest
from keyring.backends.null import Keyring

from player.auth.tokens import Login, TokenStore
from player.auth.vault import Vault, VaultError
from player.errors import KeyringUnavailableError
from tests.unit.player.player_fakes import MemoryVault

SERVER = "https://tv.example.org"
LOGIN = Login(SERVER, "u-1", "demo@local", "viewer", "access", "refresh", 1_000.0)


vault = pytest.fixture(lambda: MemoryVault())
store = pytest.fixture(lambda tmp_path, vault: TokenStore(tmp_path / "tollcast", vault))


def test_a_working_keyring_stores_the_tokens_of_each_server(store, vault, tmp_path):
    assert store.save(LOGIN) == "system keyring" and store.load(SERVER) == LOGIN and list(vault.secrets) == [SERVER]
    assert all("access" not in file.read_text() for file in (tmp_path / "tollcast").glob("*.json"))
    assert store.load("https://tv-example.org") is None
    store.remember_server(SERVER)
    assert store.remembered_server() == SERVER


def test_without_a_keyring_a_file_stores_the_tokens(store, vault):
    vault.locked = True
    place = Path(store.save(LOGIN))
    assert stat.S_IMODE(place.stat().st_mode) == 0o600 and stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert store.load(SERVER) == LOGIN
    assert [file.suffix for file in place.parent.iterdir()] == [".json"], "no draft is left behind"
    for damaged in ("", "{", "[]", '{"kept_in": "file"}'):
        place.write_text(damaged)
        assert store.load(SERVER) is None


def test_a_keyring_that_is_locked_later_is_not_a_missing_login_and_fresh_tokens_are_not_lost(store, vault):
    store.save(LOGIN)
    vault.locked = True
    with pytest.raises(KeyringUnavailableError, match="keyring is locked"):
        store.load(SERVER)
    assert store.place(SERVER) == "system keyring"
    newer = replace(LOGIN, access_token="access-2", refresh_token="refresh-2")
    assert store.save(newer).endswith(".json") and store.load(SERVER) == newer


@pytest.mark.parametrize("locked", [False, True])
def test_delete(store, vault, locked):
    vault.locked = locked
    store.save(LOGIN)
    for _ in range(2):
        store.delete(SERVER)
        assert (store.load(SERVER), store.place(SERVER), vault.secrets) == (None, "", {})


def test_the_lock_admits_one_at_a_time(store):
    inside, entered = threading.Event(), []

    def second():
        with store.locked(SERVER):
            entered.append(inside.is_set())

    with store.locked(SERVER):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.2)
        assert entered == []
        inside.set()
    thread.join(5)
    assert entered == [True]


def test_a_keyring_of_low_priority_is_not_used_and_one_that_does_not_answer_times_out(monkeypatch):
    monkeypatch.setattr(keyring, "get_keyring", Keyring)
    with pytest.raises(VaultError, match="no keyring"):
        Vault().set("key", "secret")
    hang = threading.Event()
    backend = SimpleNamespace(priority=5, get_password=lambda *_: hang.wait(10))
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    monkeypatch.setattr("player.auth.vault.WAIT_S", 0.1)
    with pytest.raises(VaultError, match="no answer"):
        Vault().get("key")
    hang.set()
