"""The vectors of the access rule, for all three fronts: the authorizer, nginx and CloudFront's function."""

from tests.vectors.headers import HEADERS
from tests.vectors.model import A_PLAYLIST, ALLOW, PLAYLIST, RENDITION, Front, Vector, bearer
from tests.vectors.paths import PATHS
from tests.vectors.states import STATES
from tests.vectors.tokens import TOKENS

GOOD = (
    Vector(name="a segment", expect=ALLOW),
    Vector(name="the multivariant playlist", expect=ALLOW, target=A_PLAYLIST, media=PLAYLIST),
    Vector(name="a rendition's playlist", expect=ALLOW, target="/play/{session}/720p/index.m3u8", media=RENDITION),
    Vector(name="HEAD", expect=ALLOW, method="HEAD", differs={Front.AUTHORIZER: "token_invalid"}),
    Vector(name="a token of the key before", expect=ALLOW, headers=bearer("{old_key}")),
    Vector(name="a token in its last second", expect=ALLOW, headers=bearer("{last}")),
    Vector(name="a fresh token after an old one", expect=ALLOW, headers=bearer("{long}"), after_a_good_one=True),
    Vector(name="POST", expect="method_not_allowed", method="POST"),
    Vector(name="DELETE of a playlist", expect="method_not_allowed", method="DELETE", target=A_PLAYLIST),
)

VECTORS = (*GOOD, *TOKENS, *STATES, *PATHS, *HEADERS)
assert len({vector.name for vector in VECTORS}) == len(VECTORS)
