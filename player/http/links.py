"""Addresses of web pages that a server names, for people and their browser."""

from urllib.parse import urlsplit

ADDRESS_CHARS_MAX = 2_000


def web_address(value: object) -> str | None:
    """Return the address if it can be printed and opened as it is, else None. Other schemes could run programs."""
    if not isinstance(value, str) or len(value) > ADDRESS_CHARS_MAX or not value.isascii() or not value.isprintable():
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and not set(value) & set(' "<>\\^`{|}')
    return value if is_web else None
