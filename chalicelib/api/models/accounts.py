"""Logins and accounts."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, computed_field, model_validator

from chalicelib.api.models.common import Answer, ListQuery, Request
from chalicelib.api.models.forms import Email, Form, UserId
from chalicelib.domain.accounts.users import PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, Role
from chalicelib.domain.ids import is_canary

Password = Annotated[str, StringConstraints(min_length=1, max_length=PASSWORD_CHARS_MAX)]
NewPassword = Annotated[str, StringConstraints(min_length=PASSWORD_CHARS_MIN, max_length=PASSWORD_CHARS_MAX)]
SEARCH_WORDS = "must have 1 to 255 characters without spaces: how an email begins, or a user id"
Token = Annotated[str, StringConstraints(min_length=1, max_length=2048)]


class LoginRequest(Request):
    """Email and password."""

    email: Email
    password: Password


class RefreshRequest(Request):
    """A refresh token."""

    refresh_token: Token


class ChangePasswordRequest(Request):
    """A new password for the caller."""

    current_password: Password
    new_password: NewPassword


class UserAnswer(Answer):
    """An account."""

    user_id: str
    email: str
    role: Role
    disabled: bool
    created_at_ms: int

    @computed_field(description="a synthetic viewer, whom business figures leave out")  # type: ignore[prop-decorator]
    @property
    def is_canary(self) -> bool:
        """Whether business figures leave the account out."""
        return is_canary(self.user_id)


class EditableUserAnswer(UserAnswer):
    """An account as it can be edited."""

    version: int = Field(description="rises when password, role or `disabled` change; `If-Match` names it")


class LoginAnswer(Answer):
    """Tokens. `expires_in` is the lifetime of the access token in seconds."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    user: UserAnswer


class BrowserLoginAnswer(Answer):
    """An access token. The refresh token is in the cookie. `expires_in` is the token's lifetime in seconds."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    user: UserAnswer


class CreateUserRequest(Request):
    """A new account."""

    email: Email
    password: NewPassword
    role: Role = Role.VIEWER


class ErasedAnswer(Answer):
    """An erased account and when it was erased. Payments and sessions stay under this id."""

    user_id: str
    erased_at_ms: int


class EditUserRequest(Request):
    """Changes of an account."""

    password: NewPassword | None = None
    role: Role | None = None
    disabled: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> EditUserRequest:
        if self.password is None and self.role is None and self.disabled is None:
            raise ValueError("give at least one of password, role, disabled")
        return self


class UsersQuery(ListQuery):
    """Filter of accounts. `q` is how the email begins, in any case, or a whole user id."""

    q: Annotated[str, Form(re.compile(r"[^\s\x00-\x1f]{1,255}"), SEARCH_WORDS)] | None = None
    role: Role | None = None
    disabled: bool | None = None


class LookupQuery(Request):
    """The email or the id of a user."""

    email: Email | None = None
    user_id: UserId | None = None

    @model_validator(mode="after")
    def _one(self) -> LookupQuery:
        if (self.email is None) == (self.user_id is None):
            raise ValueError("give either email or user_id")
        return self


class LookupAnswer(Answer):
    """A user, without anything that identifies the person."""

    user_id: str
    disabled: bool
