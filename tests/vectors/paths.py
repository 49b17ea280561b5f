"""The vectors of tricks with addresses. Where nginx decodes or folds an address, it judges what comes of that."""

from tests.vectors.model import ALLOW, SEGMENT, Front, Vector

# nginx folds these to the session's own media before it looks at them; the other two take addresses as they are.
FOLDED = {Front.NGINX: ALLOW}
# And these to another session's media, for which this token is none.
FOLDED_TO_ANOTHER = {Front.NGINX: "token_invalid"}
# nginx has no texts for these, since it does not accept them as requests.
MALFORMED = {Front.NGINX: "invalid_request"}

NOWHERE = {
    "out of the session, encoded twice": "/play/{session}/%252e%252e/{other}/" + SEGMENT,
    "out of the session, with a backslash": "/play/{session}/..\\{other}/" + SEGMENT,
    "out of the session, encoded backslash": "/play/{session}/..%5c{other}/" + SEGMENT,
    "out of the rendition, to the streams": "/play/{session}/720p/../../../streams/s-other/" + SEGMENT,
    "the bucket's own key": "/streams/{stream}/" + SEGMENT,
    "another stream below the session": "/play/{session}/streams/s-other/" + SEGMENT,
    "two sessions": "/play/{session}/play/{other}/" + SEGMENT,
    "two sessions side by side": "/play/{session}/{other}/" + SEGMENT,
    "two slashes before": "//play/{session}/" + SEGMENT,
    "two slashes after play": "/play//{session}/" + SEGMENT,
    "two slashes within": "/play/{session}//" + SEGMENT,
    "two slashes before the segment": "/play/{session}/720p//1-000001.ts",
    "an encoded slash within": "/play/{session}/720p%2f%2f1-000001.ts",
    "a slash at the end": "/play/{session}/" + SEGMENT + "/",
    "a playlist with a slash at the end": "/play/{session}/index.m3u8/",
    "nothing but the session": "/play/{session}",
    "nothing but the session, and a slash": "/play/{session}/",
    "a capital session": "/play/{upper}/" + SEGMENT,
    "a capital in play": "/Play/{session}/" + SEGMENT,
    "a capital extension": "/play/{session}/720p/1-000001.TS",
    "a longer session": "/play/{session}a/" + SEGMENT,
    "a parameter": "/play/{session}/720p/1-000001.ts;x=1",
    "a parameter in the session": "/play/{session};x/" + SEGMENT,
    "a newline at the end, encoded": "/play/{session}/" + SEGMENT + "%0a",
    "a newline within, encoded": "/play/{session}/720p/1%0a.ts",
    "a return at the end, encoded": "/play/{session}/" + SEGMENT + "%0d%0aX-Tollcast-Stream:%20s-other",
    "a space at the end, encoded": "/play/{session}/" + SEGMENT + "%20",
    "an encoded question mark": "/play/{session}/" + SEGMENT + "%3fx",
    "another extension": "/play/{session}/720p/1-000001.mp4",
    "a hidden second extension": "/play/{session}/720p/1-000001.ts.key",
    "a rendition too deep": "/play/{session}/720p/x/1-000001.ts",
    "a segment without a rendition": "/play/{session}/1-000001.ts",
    "a run's log": "/play/{session}/logs/{stream}.json",
    "an underscore": "/play/{session}/720p/1_1.ts",
    "an umlaut, encoded": "/play/{session}/720p/%c3%a4.ts",
    "an overlong encoding of a slash": "/play/{session}%c0%af" + SEGMENT,
    "an overlong name": "/play/{session}/720p/" + "1" * 200 + ".ts",
    "an overlong rendition": "/play/{session}/" + "p" * 200 + "/1-000001.ts",
    "the verdict's own address": "/_verdict",
    "the signer's own address": "/_sign",
    "a problem's own address": "/_problem/404",
}

PATHS = (
    *(Vector(name=f"path: {name}", expect="not_found", target=target) for name, target in NOWHERE.items()),
    *(
        Vector(name=f"path: {name}", expect="not_found", target=target, differs=FOLDED)
        for name, target in {
            "a dot": "/play/{session}/./" + SEGMENT,
            "a dot, encoded": "/play/{session}/%2e/" + SEGMENT,
            "in and out again": "/play/{session}/720p/../" + SEGMENT,
            "from another session into one's own": "/play/{other}/../{session}/" + SEGMENT,
            "a plain letter, encoded": "/play/{session}/720p/1%2d000001.ts",
            "the dot of the extension, encoded": "/play/{session}/720p/1-000001%2Ets",
            "an encoded slash between": "/play/{session}/720p%2f1-000001.ts",
            "a fragment": "/play/{session}/" + SEGMENT + "#x",
        }.items()
    ),
    *(
        Vector(name=f"path: {name}", expect="not_found", target=target, differs=FOLDED_TO_ANOTHER)
        for name, target in {
            "out of the session": "/play/{session}/../{other}/" + SEGMENT,
            "out of the session, encoded": "/play/{session}/%2e%2e/{other}/" + SEGMENT,
            "out of the session, encoded in capitals": "/play/{session}/%2E%2E/{other}/" + SEGMENT,
            "out of the session, encoded slash": "/play/{session}/..%2f{other}/" + SEGMENT,
            "out of the session, half encoded": "/play/{session}/.%2e/{other}/" + SEGMENT,
            "out of the rendition": "/play/{session}/720p/../../{other}/" + SEGMENT,
        }.items()
    ),
    *(
        Vector(name=f"path: {name}", expect="not_found", target=target, differs=MALFORMED)
        for name, target in {
            "NUL": "/play/{session}/" + SEGMENT + "\0",
            "NUL, encoded": "/play/{session}/" + SEGMENT + "%00",
            "NUL before another extension": "/play/{session}/720p/1-000001.ts%00.jpg",
            "a broken encoding": "/play/{session}/720p/1%zz.ts",
            "an unfinished encoding": "/play/{session}/" + SEGMENT + "%",
            "above the root": "/../../play/{session}/" + SEGMENT,
        }.items()
    ),
    Vector(
        name="path: overlong",
        expect="not_found",
        target="/play/{session}/" + "x" * 9_000 + ".ts",
        differs={Front.NGINX: "address_too_long"},
    ),
    # What is not part of the address changes nothing.
    Vector(name="a query", expect=ALLOW, target="/play/{session}/" + SEGMENT + "?session={other}&path=/../{other}"),
    Vector(name="an absolute address", expect=ALLOW, target="http://elsewhere/play/{session}/" + SEGMENT),
    Vector(
        name="an absolute address of another's media",
        expect="token_invalid",
        target="http://elsewhere/play/{other}/" + SEGMENT,
    ),
)
