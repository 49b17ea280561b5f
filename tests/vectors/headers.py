"""The vectors of tricks with headers: one header carries the token, and no other says anything."""

from tests.vectors.model import A_SEGMENT, ALLOW, Front, Vector, bearer

GOOD_BEARER = ("Authorization", "Bearer {good}")
HEADERS = (
    Vector(name="bearer in lower case", expect=ALLOW, headers=(("Authorization", "bearer {good}"),)),
    Vector(name="the header's name in capitals", expect=ALLOW, headers=(("AUTHORIZATION", "Bearer {good}"),)),
    Vector(name="spaces before and after the token", expect=ALLOW, headers=(("Authorization", "Bearer   {good}  "),)),
    Vector(name="a tab for the space", expect="token_invalid", headers=(("Authorization", "Bearer\t{good}"),)),
    Vector(name="no scheme", expect="token_invalid", headers=(("Authorization", "{good}"),)),
    Vector(name="another scheme", expect="token_invalid", headers=(("Authorization", "Basic {good}"),)),
    Vector(
        name="two tokens in one header",
        expect="token_invalid",
        headers=(("Authorization", "Bearer {good}, Bearer {good}"),),
    ),
    *(
        Vector(
            name=f"two headers, {name}",
            expect="token_invalid",
            headers=headers,
            differs={Front.NGINX: "invalid_request"},
        )
        for name, headers in (
            ("good and bad", (GOOD_BEARER, ("Authorization", "Bearer {bit}"))),
            ("bad and good", (("Authorization", "Bearer {bit}"), GOOD_BEARER)),
            ("twice the same", (GOOD_BEARER, GOOD_BEARER)),
        )
    ),
    Vector(
        name="the token in the query",
        expect="token_invalid",
        headers=(),
        target=A_SEGMENT + "?token={good}",
    ),
    Vector(
        name="the token in a cookie",
        expect="token_invalid",
        headers=(("Cookie", "token={good}; Authorization={good}"),),
    ),
    *(
        Vector(name=f"the token in {each}", expect="token_invalid", headers=((each, "Bearer {good}"),))
        for each in ("Proxy-Authorization", "X-Authorization", "X-Forwarded-Authorization", "X-Amz-Security-Token")
    ),
    *(
        Vector(
            name=f"{header} may not name another's media",
            expect="token_invalid",
            headers=(*bearer("{of_other}"), (header, value)),
        )
        for header, value in (
            ("X-Original-URL", "/play/{other}/720p/1-000001.ts"),
            ("X-Rewrite-URL", "/play/{other}/720p/1-000001.ts"),
            ("X-Forwarded-Uri", "/play/{other}/720p/1-000001.ts"),
            ("X-Tollcast-Session", "{other}"),
        )
    ),
    *(
        Vector(name=f"{header} from the client says nothing", expect=ALLOW, headers=(GOOD_BEARER, (header, value)))
        for header, value in (
            ("X-Tollcast-Stream", "s-other"),
            ("X-Tollcast-User", "u_other"),
            ("X-Tollcast-Key", "streams/s-other/720p/1.ts"),
            ("X-Tollcast-Session", "{other}"),
            ("X-Accel-Redirect", "/streams/s-other/720p/1.ts"),
            ("X-Accel-Expires", "600"),
            ("X-Original-URL", "/play/{other}/720p/1.ts"),
            ("X-HTTP-Method-Override", "DELETE"),
            ("X-Forwarded-For", "127.0.0.1"),
            ("X-Forwarded-Host", "localhost"),
            ("Range", "bytes=0-"),
            ("Cookie", "session={other}"),
        )
    ),
    Vector(
        name="headers that claim to be the gateway's own are no token",
        expect="token_invalid",
        headers=(("X-Tollcast-Stream", "{stream}"), ("X-Tollcast-User", "u_a"), ("X-Real-IP", "127.0.0.1")),
    ),
)
