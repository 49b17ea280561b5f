"""The vectors of the access rule, for all three fronts: the authorizer, nginx and CloudFront's function."""

from tests.vectors.headers import HEADERS
from tests.vectors.model import A_PLAYLIST, ALLOW, PLAYLIST, RENDITION, Front, Vector, bearer
from tests.vectors.paths import PATHS
from tests.vectors.states import STATES
from tests.vectors.tokens import TOKENS

GOOD = (
    Vector("a segment", ALLOW),
    Vector("the multivariant playlist", ALLOW, target=A_PLAYLIST, media=PLAYLIST),
    Vector("a rendition's playlist", ALLOW, target="/play/{session}/720p/index.m3u8", media=RENDITION),
    Vector("HEAD", ALLOW, method="HEAD", differs={Front.AUTHORIZER: "token_invalid"}),
    Vector("a token of the key before", ALLOW, headers=bearer("{old_key}")),
    Vector("a token in its last second", ALLOW, headers=bearer("{last}")),
    Vector("a fresh token after an old one", ALLOW, headers=bearer("{long}"), after_a_good_one=True),
    Vector("POST", "method_not_allowed", method="POST"),
    Vector("DELETE of a playlist", "method_not_allowed", method="DELETE", target=A_PLAYLIST),
)

VECTORS = (*GOOD, *TOKENS, *STATES, *PATHS, *HEADERS)
assert len({vector.name for vector in VECTORS}) == len(VECTORS)
