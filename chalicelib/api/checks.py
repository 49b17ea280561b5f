"""Checks of a request's token, body, query and path. Each error names the field and what it allows."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from chalicelib.api.models.forms import DAY_WORDS, PAYMENT_ID_WORDS
from chalicelib.domain import ids
from chalicelib.domain.errors import BodyTooLarge, Invalid, NotFound
from chalicelib.domain.money.usage import is_day
from chalicelib.domain.money.wallets import REVERSAL_PREFIX

BODY_BYTES_MAX = 64 * 1024
FIELD_ERRORS_MAX = 20
# Pydantic's prefix to messages of our own checks.
OUR_OWN = "Value error, "
# A path parameter of another form cannot exist, so it is 404.
PATH_FORMS = {
    "stream_id": ids.STREAM_ID,
    "session_id": ids.SESSION_ID,
    "user_id": ids.USER_ID,
    "key_id": ids.KEY_ID,
    "block_id": ids.BLOCK_ID,
}
# A reversal's id is allowed, so that the answer can say why it cannot be reversed.
PAYMENT_PATH = re.compile(rf"(?:{re.escape(REVERSAL_PREFIX)})?{ids.PAYMENT_ID.pattern}")
Model = TypeVar("Model", bound=BaseModel)


def bearer(header: str | None) -> str | None:
    """Return the token of an `Authorization: Bearer …` header, or None."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def body_of(model: type[Model], raw: bytes) -> Model:
    """Return the body as its model. Raise `Invalid` with each wrong field, or `BodyTooLarge`."""
    if len(raw) > BODY_BYTES_MAX:
        raise BodyTooLarge(f"The body may have at most {BODY_BYTES_MAX} bytes.")
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        raise _invalid(error, "body", model) from None


def no_body(raw: bytes) -> None:
    """Raise `Invalid` for a body that would be ignored. An empty object is allowed."""
    if raw.strip() not in (b"", b"{}"):
        raise Invalid.field("body", "this route takes no body")


def query_of(model: type[Model] | None, params: Any) -> Model | None:
    """Return the query parameters as their model. Raise `Invalid` for unknown, wrong or repeated parameters."""
    values = {name: params.getlist(name) for name in params} if params else {}
    if model is None:
        if values:
            raise Invalid.field(next(iter(values)), "unknown; this route takes no query parameters")
        return None
    for name, found in values.items():
        if len(found) > 1:
            raise Invalid.field(name, "given more than once")
    try:
        return model.model_validate({name: found[0] for name, found in values.items()})
    except ValidationError as error:
        raise _invalid(error, "query", model) from None


def checked_path(params: dict[str, str]) -> dict[str, str]:
    """Return path parameters that may exist. Raise `NotFound` for other ids, `Invalid` for a wrong day or payment."""
    if "day" in params and not is_day(params["day"]):
        raise Invalid.field("day", DAY_WORDS)
    if "payment_id" in params and not PAYMENT_PATH.fullmatch(params["payment_id"]):
        raise Invalid.field("payment_id", PAYMENT_ID_WORDS)
    for name, value in params.items():
        form = PATH_FORMS.get(name)
        if form and not form.fullmatch(value):
            raise NotFound(f"There is no {name.removesuffix('_id')} with this id.")
    return params


def _invalid(error: ValidationError, part: str, model: type[BaseModel]) -> Invalid:
    errors = [
        {"field": ".".join(str(step) for step in each["loc"]) or part, "detail": _detail(each, model)}
        for each in error.errors(include_url=False, include_context=False, include_input=False)[:FIELD_ERRORS_MAX]
    ]
    return Invalid("; ".join(f"{each['field']}: {each['detail']}" for each in errors), errors=errors)


def _detail(error: ErrorDetails, model: type[BaseModel]) -> str:
    if error["type"] != "extra_forbidden":
        return error["msg"].removeprefix(OUR_OWN)
    if len(error["loc"]) > 1:
        return "unknown"
    return f"unknown; allowed: {', '.join(each.alias or name for name, each in model.model_fields.items())}"
