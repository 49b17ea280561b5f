"""The mark of synthetic viewers: it is in their ids and those of their sessions, and in no others."""

import base64

import pytest

from chalicelib.domain import ids


def marked(length: int) -> str:
    return "canary" + "a" * (length - len("canary"))


@pytest.mark.parametrize("make", [ids.new_canary_id, lambda: ids.new_session_id(ids.new_canary_id())])
def test_ids_of_synthetic_viewers_are_marked_and_have_the_usual_form(make) -> None:
    made = make()
    assert ids.is_canary(made) and (ids.USER_ID.fullmatch(made) or ids.SESSION_ID.fullmatch(made))
    session_id = ids.session_id_of(ids.new_canary_id(), "k" * 20)
    assert ids.is_canary(session_id) and ids.SESSION_ID.fullmatch(session_id)


def test_no_other_id_is_marked_not_even_by_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = iter(marked(30) * 10)
    monkeypatch.setattr(ids.secrets, "choice", lambda _: next(chosen))
    made = ids.new_user_id()
    assert ids.USER_ID.fullmatch(made) and not ids.is_canary(made)

    class Chosen:
        def __init__(self, _: bytes) -> None:
            pass

        def digest(self) -> bytes:
            return base64.b32decode(marked(56).upper())

    monkeypatch.setattr(ids, "sha256", Chosen)
    session_id = ids.session_id_of("u_" + "b" * 20, "a key that was searched for")
    assert ids.SESSION_ID.fullmatch(session_id) and not ids.is_canary(session_id)
