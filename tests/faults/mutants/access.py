"""Known bugs of the access rule, the authorizer and the edge, which the shared vectors find."""

from tests.faults.mutants.mutant import Mutant

RULE = "chalicelib/services/access/access.py"
BINDING = "chalicelib/services/access/binding.py"
TOKENS = "chalicelib/adapters/access/jwt_tokens.py"
AUTHORIZER = "chalicelib/api/media.py"
EDGE = "gateway/edge/viewer_request.js"

AT_AUTHORIZER = ("tests/unit/access/test_authorizer.py",)
AT_BOUND_NGINX = ("tests/integration/gateway/nginx/test_session_binding.py",)
AT_EDGE = ("tests/unit/access/test_cloudfront_function.py",)

ACCESS_TOKEN_TOO = """try:
            claims = self._tokens.play(token)
        except Unauthenticated:
            whose = self._tokens.access(token, self._clock.now_ms())
            seen = self._wallets.get(whose.user_id).sessions[session_id]
            claims = PlayClaims(
                user_id=whose.user_id,
                session_id=session_id,
                stream_id=seen.stream_id,
                expires_at_ms=whose.expires_at_ms,
            )"""

MUTANTS_OF_ACCESS = (
    Mutant(
        "access: an access token is taken",
        RULE,
        "claims = self._tokens.play(token)",
        ACCESS_TOKEN_TOO,
        tests=AT_AUTHORIZER,
    ),
    Mutant(
        "access: a token's typ is ignored",
        TOKENS,
        'if key is None or header.get("typ") != TYP[kind]:',
        "if key is None:",
        tests=AT_AUTHORIZER,
    ),
    Mutant(
        "access: a token's audience is ignored",
        TOKENS,
        '"verify_exp": False},',
        '"verify_exp": False, "verify_aud": False},',
        tests=AT_AUTHORIZER,
    ),
    Mutant(
        "access: a token's signature is ignored",
        TOKENS,
        '"verify_exp": False},',
        '"verify_exp": False, "verify_signature": False},',
        tests=AT_AUTHORIZER,
    ),
    Mutant(
        "access: a bound session is served to everybody",
        BINDING,
        "return bool(words)",
        "return False",
        tests=AT_BOUND_NGINX,
    ),
    # ---- the authorizer ----
    Mutant(
        "access: the authorizer takes the first session in any address",
        AUTHORIZER,
        "asked = MEDIA_ARN.fullmatch(request.method_arn)",
        'asked = re.search(r"/play/(?P<session>[a-z2-7]{26})/", request.method_arn)',
        tests=AT_AUTHORIZER,
    ),
    Mutant(
        "access: the authorizer's policy opens all sessions",
        AUTHORIZER,
        'routes=[f"/play/{decision.session_id}/*"],',
        'routes=["/play/*"],',
        tests=AT_AUTHORIZER,
    ),
    Mutant(
        "access: the authorizer allows when the store is unavailable",
        AUTHORIZER,
        'AuthResponse(routes=[], principal_id="nobody", context=context)',
        'AuthResponse(["/play/*"] if document["status"] == 503 else [], "nobody", context)',
        tests=AT_AUTHORIZER,
    ),
    # ---- CloudFront's function ----
    Mutant(
        "access: the edge ignores the address",
        EDGE,
        r"[a-z0-9-]{1,64}\.ts)$/;",
        r"[a-z0-9-]{1,64}\.ts)/;",
        tests=AT_EDGE,
    ),
    Mutant(
        "access: the edge takes another session's token",
        EDGE,
        "if (claims.sid !== session) {",
        "if (!claims.sid) {",
        tests=AT_EDGE,
    ),
    Mutant(
        "access: the edge ignores signatures",
        EDGE,
        "isEqual(signature, parts[3]) && parseObject(parts[2])",
        "parseObject(parts[2])",
        tests=AT_EDGE,
    ),
    Mutant(
        "access: the edge takes any algorithm",
        EDGE,
        "head.alg !== 'HS256' || ",
        "",
        tests=AT_EDGE,
    ),
    Mutant(
        "access: the edge takes any kind of token",
        EDGE,
        "head.typ !== 'play+jwt' || ",
        "",
        tests=AT_EDGE,
    ),
    Mutant(
        "access: the edge takes any audience",
        EDGE,
        "claims.aud === 'tollcast-media' && ",
        "",
        tests=AT_EDGE,
    ),
    Mutant(
        "access: the edge ignores expiry",
        EDGE,
        "if (Date.now() >= claims.exp_ms) {",
        "if (!claims.exp_ms) {",
        tests=AT_EDGE,
    ),
    Mutant(
        "access: the edge does not look for denied sessions",
        EDGE,
        "if (sessionDenied) {",
        "if (!store) {",
        tests=AT_EDGE,
    ),
    Mutant(
        "access: the edge does not look for denied streams",
        EDGE,
        "if (streamDenied) {",
        "if (!store) {",
        tests=AT_EDGE,
    ),
    Mutant(
        "access: the edge continues when the store is silent",
        EDGE,
        "    } catch (silent) {\n",
        "    } catch (silent) {\n        return request;\n",
        tests=AT_EDGE,
    ),
    Mutant(
        "access: the edge takes the first of two tokens",
        EDGE,
        "if (!header || header.multiValue) {",
        "if (!header) {",
        tests=AT_EDGE,
    ),
    Mutant(
        "access: the edge sends the token to the store",
        EDGE,
        "        delete request.headers.authorization;\n",
        "",
        tests=AT_EDGE,
    ),
)
