"""The vectors of tricks with headers: one header carries the token, and no other says anything."""

from tests.vectors.model import A_SEGMENT, ALLOW, Front, Vector, bearer

ANOTHERS = "/play/{other}/720p/1-000001.ts"
GOOD_BEARER = ("Authorization", "Bearer {good}")
HEADERS = (
    Vector("bearer in lower case", ALLOW, headers=(("Authorization", "bearer {good}"),)),
    Vector("the header's name in capitals", ALLOW, headers=(("AUTHORIZATION", "Bearer {good}"),)),
    Vector("spaces before and after the token", ALLOW, headers=(("Authorization", "Bearer   {good}  "),)),
    Vector("a tab for the space", "token_invalid", headers=(("Authorization", "Bearer\t{good}"),)),
    Vector("no scheme", "token_invalid", headers=(("Authorization", "{good}"),)),
    Vector("another scheme", "token_invalid", headers=(("Authorization", "Basic {good}"),)),
    Vector("two tokens in one header", "token_invalid", headers=(("Authorization", "Bearer {good}, Bearer {good}"),)),
    *(
        Vector(f"two headers, {name}", "token_invalid", headers=headers, differs={Front.NGINX: "invalid_request"})
        for name, headers in (
            ("good and bad", (GOOD_BEARER, ("Authorization", "Bearer {bit}"))),
            ("bad and good", (("Authorization", "Bearer {bit}"), GOOD_BEARER)),
            ("twice the same", (GOOD_BEARER, GOOD_BEARER)),
        )
    ),
    Vector("the token in the query", "token_invalid", headers=(), target=A_SEGMENT + "?token={good}"),
    Vector("the token in a cookie", "token_invalid", headers=(("Cookie", "token={good}; Authorization={good}"),)),
    *(
        Vector(f"the token in {each}", "token_invalid", headers=((each, "Bearer {good}"),))
        for each in ("Proxy-Authorization", "X-Authorization", "X-Forwarded-Authorization", "X-Amz-Security-Token")
    ),
    *(
        Vector(
            f"{header} may not name another's media", "token_invalid", headers=(*bearer("{of_other}"), (header, value))
        )
        for header, value in (
            *((each, ANOTHERS) for each in ("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri")),
            ("X-Tollcast-Session", "{other}"),
        )
    ),
    *(
        Vector(f"{header} from the client says nothing", ALLOW, headers=(GOOD_BEARER, (header, value)))
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
        "headers that claim to be the gateway's own are no token",
        "token_invalid",
        headers=(("X-Tollcast-Stream", "{stream}"), ("X-Tollcast-User", "u_a"), ("X-Real-IP", "127.0.0.1")),
    ),
)
