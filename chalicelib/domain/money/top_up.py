"""The address at which a viewer buys points: a template that the stage sets."""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlsplit

USER_ID_FIELD = "{user_id}"
TEMPLATE_CHARS_MAX = 500
# Printable ASCII without the space, and without characters that some parsers read as a slash or an end. The address is
# shown in terminals and opened in browsers.
_PLAIN = re.compile(r"[!-~]+")
_AMBIGUOUS = re.compile(r"[\\\"<>^`{|}]")
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class TopUpUrl:
    """A template with `{user_id}`, such as `https://pay.example.org/?user={user_id}`. Empty: there is no such page."""

    template: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the template of a text. Raise `ValueError` for one that is not allowed.

        It has at most 500 characters, `{user_id}` in its path, query or fragment, and no user name or password. It
        begins with `https://`, or with `http://` for a page on this machine.
        """
        if not text:
            return cls(text)
        plain = text.replace(USER_ID_FIELD, "")
        if len(text) > TEMPLATE_CHARS_MAX or not _PLAIN.fullmatch(plain) or _AMBIGUOUS.search(plain):
            raise ValueError(text)
        parts = urlsplit(text)
        # The property raises ValueError for a port that is none.
        is_local = parts.scheme == "http" and parts.hostname in _THIS_MACHINE and parts.port != 0
        if not is_local and not (parts.scheme == "https" and parts.hostname and parts.port != 0):
            raise ValueError(text)
        if USER_ID_FIELD not in text or USER_ID_FIELD in parts.netloc or "@" in parts.netloc:
            raise ValueError(text)
        return cls(text)

    def __call__(self, user_id: str) -> str | None:
        """Return the address for a user, with the id percent-encoded; None if the stage has no such page."""
        return self.template.replace(USER_ID_FIELD, quote(user_id, safe="")) or None

    def __str__(self) -> str:
        return self.template
