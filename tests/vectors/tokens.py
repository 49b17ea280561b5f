"""The vectors of tokens: good ones, and every way in which one may be wrong."""

from tests.vectors.model import A_PLAYLIST, NOT_AT_THE_EDGE, Vector, bearer

INVALID_TOKENS = (
    "garbage",
    "unsigned",
    "two_parts",
    "bit",
    "body_changed",
    "empty_signature_none",
    "none",
    "rs256",
    "hs512",
    "hs512_really",
    "no_kid",
    "unknown_kid",
    "kid_of_other_key",
    "kid_is_a_path",
    "kid_is_a_number",
    "access_key",
    "wrong_typ",
    "no_typ",
    "wrong_aud",
    "no_aud",
    "no_expiry",
    "crit",
    "list",
    "overlong",
    "access",
    "refresh",
    "of_other",
)
TOKENS = (
    *(Vector(name=f"token {each}", expect="token_invalid", headers=bearer(f"{{{each}}}")) for each in INVALID_TOKENS),
    Vector(name="no token", expect="token_invalid", headers=()),
    Vector(name="an empty token", expect="token_invalid", headers=bearer("")),
    Vector(name="an expired token", expect="token_expired", headers=bearer("{over}")),
    Vector(
        name="a wrong token after a good one", expect="token_invalid", headers=bearer("{bit}"), after_a_good_one=True
    ),
    Vector(
        name="a bad token for a playlist",
        expect="token_invalid",
        headers=bearer("{bit}"),
        target=A_PLAYLIST,
    ),
    # The platform never signs this. The edge has to believe the claims of a signed token.
    Vector(
        name="token of_other_stream",
        expect="token_invalid",
        headers=bearer("{of_other_stream}"),
        stream="s-other",
        differs=NOT_AT_THE_EDGE,
    ),
    Vector(
        name="token of_other_user", expect="token_invalid", headers=bearer("{of_other_user}"), differs=NOT_AT_THE_EDGE
    ),
)
