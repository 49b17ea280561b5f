"""Known bugs of the access rule, the authorizer and the edge, which the shared vectors find."""

from tests.faults.mutants.mutant import Mutant

RULE = "chalicelib/services/access/access.py"
TOKENS = "chalicelib/adapters/access/jwt_tokens.py"
AUTHORIZER = "chalicelib/api/access/media.py"
EDGE = "gateway/edge/viewer_request.js"

AT_AUTHORIZER = ("tests/unit/access/test_authorizer.py",)
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

MUTANTS_OF_ACCESS = {
    "access: an access token is taken": Mutant(
        RULE, "claims = self._tokens.play(token)", ACCESS_TOKEN_TOO, AT_AUTHORIZER
    ),
    "access: a token's typ is ignored": Mutant(
        TOKENS, 'if key is None or header.get("typ") != TYP[kind]:', "if key is None:", AT_AUTHORIZER
    ),
    "access: a token's audience is ignored": Mutant(
        TOKENS, '"verify_exp": False},', '"verify_exp": False, "verify_aud": False},', AT_AUTHORIZER
    ),
    "access: a token's signature is ignored": Mutant(
        TOKENS, '"verify_exp": False},', '"verify_exp": False, "verify_signature": False},', AT_AUTHORIZER
    ),
    "access: the authorizer takes the first session in any address": Mutant(
        AUTHORIZER,
        "asked = MEDIA_ARN.fullmatch(request.method_arn)",
        'asked = re.search(r"/play/(?P<session>[a-z2-7]{26})/", request.method_arn)',
        AT_AUTHORIZER,
    ),
    "access: the authorizer's policy opens all sessions": Mutant(
        AUTHORIZER, 'routes=[f"/play/{decision.session_id}/*"],', 'routes=["/play/*"],', AT_AUTHORIZER
    ),
    "access: the authorizer allows when the store is unavailable": Mutant(
        AUTHORIZER,
        'AuthResponse(routes=[], principal_id="nobody", context=context)',
        'AuthResponse(["/play/*"] if document["status"] == 503 else [], "nobody", context)',
        AT_AUTHORIZER,
    ),
    "access: the edge ignores the address": Mutant(
        EDGE, r"[a-z0-9-]{1,64}\.ts)$/;", r"[a-z0-9-]{1,64}\.ts)/;", AT_EDGE
    ),
    "access: the edge takes another session's token": Mutant(
        EDGE, "if (claims.sid !== session) {", "if (!claims.sid) {", AT_EDGE
    ),
    "access: the edge ignores signatures": Mutant(
        EDGE, "isEqual(signature, parts[3]) && parseObject(parts[2])", "parseObject(parts[2])", AT_EDGE
    ),
    "access: the edge takes any algorithm": Mutant(EDGE, "head.alg !== 'HS256' ||", "", AT_EDGE),
    "access: the edge takes any kind of token": Mutant(EDGE, "head.typ !== 'play+jwt' ||", "", AT_EDGE),
    "access: the edge takes any audience": Mutant(EDGE, "claims.aud === 'tollcast-media' &&", "", AT_EDGE),
    "access: the edge ignores expiry": Mutant(
        EDGE, "if (Date.now() >= claims.exp_ms) {", "if (!claims.exp_ms) {", AT_EDGE
    ),
    "access: the edge does not look for denied sessions": Mutant(
        EDGE, "if (sessionDenied) {", "if (!store) {", AT_EDGE
    ),
    "access: the edge does not look for denied streams": Mutant(EDGE, "if (streamDenied) {", "if (!store) {", AT_EDGE),
    "access: the edge continues when the store is silent": Mutant(
        EDGE, "    } catch (silent) {\n", "    } catch (silent) {\n        return request;\n", AT_EDGE
    ),
    "access: the edge takes the first of two tokens": Mutant(
        EDGE, "if (!header || header.multiValue) {", "if (!header) {", AT_EDGE
    ),
    "access: the edge sends the token to the store": Mutant(EDGE, "delete request.headers.authorization;", "", AT_EDGE),
}
