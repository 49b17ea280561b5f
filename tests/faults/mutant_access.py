"""Known bugs of the access rule, in each of its three fronts; the vectors that they share find them."""

from tests.faults.mutant_kind import Mutant

RULE = "chalicelib/services/access.py"
BINDING = "chalicelib/services/binding.py"
TOKENS = "chalicelib/adapters/jwt_tokens.py"
AUTHORIZER = "chalicelib/api/media.py"
ENDPOINTS = "gateway/endpoints.py"
NGINX = "gateway/nginx.conf.template"
EDGE = "gateway/cloudfront/viewer_request.js"

AT_AUTHORIZER = ("tests/unit/access/test_authorizer.py",)
AT_NGINX = ("tests/integration/gateway/test_access_vectors.py",)
AT_NGINX_FRONT = ("tests/integration/gateway/test_nginx.py",)
AT_NGINX_KICKS = ("tests/integration/gateway/test_nginx_kicks.py",)
AT_NGINX_QUESTIONS = ("tests/integration/gateway/test_nginx_questions.py",)
AT_BOUND_NGINX = ("tests/integration/gateway/test_session_binding.py",)
AT_EDGE = ("tests/unit/access/test_cloudfront_function.py",)

# Where nginx's location of segments begins.
SEGMENTS = r'/[a-z0-9-]{1,64}\.ts)\z" {'
# Where nginx looks once more for what has ended, behind the wait for a segment's turn.
AFTER_THE_WAIT = "try_files /sessions/$sid /streams/$tollcast_stream @served;"
# Of verdicts, which come before denials.
ABOVE = "proxy_cache verdicts;\n            "
VERDICT_KEY = ABOVE + r'proxy_cache_key "$sid\n$remote_addr\n$http_user_agent\n$http_authorization";'
METHODS = """
            set $denial /denial;
            if ($request_method !~ "^(?:GET|HEAD)\\z") {
                return 405;
            }
            """
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
    # ---- the rule ----
    Mutant(
        "access: another session's token is taken",
        RULE,
        "if claims.session_id != session_id:",
        "if not claims.session_id:",
        tests=AT_AUTHORIZER,
    ),
    Mutant(
        "access: the end of a lease is ignored",
        RULE,
        "if now_ms >= session.paid_until_ms + GRACE_MS:",
        "if now_ms >= session.paid_until_ms + 10 * GRACE_MS:",
        tests=AT_AUTHORIZER,
    ),
    Mutant(
        "access: a token's expiry is ignored",
        RULE,
        "if now_ms >= claims.expires_at_ms:",
        "if not claims.expires_at_ms:",
        tests=AT_AUTHORIZER,
    ),
    Mutant(
        "access: the stream's state is ignored",
        RULE,
        "if desired is not DesiredState.LIVE:",
        "if desired is None:",
        tests=AT_AUTHORIZER,
    ),
    Mutant(
        "access: another stream's token is taken",
        RULE,
        " or session.stream_id != claims.stream_id:",
        ":",
        tests=AT_AUTHORIZER,
    ),
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
    Mutant(
        "access: a front that sees nobody serves bound sessions",
        BINDING,
        "if policy is SessionBinding.ENFORCE:\n                raise BoundElsewhere(UNSEEN)",
        "if policy is None:\n                raise BoundElsewhere(UNSEEN)",
        tests=AT_AUTHORIZER,
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
        'routes=[f"/play/{verdict.session_id}/*"],',
        'routes=["/play/*"],',
        tests=AT_AUTHORIZER,
    ),
    Mutant(
        "access: the authorizer allows when nobody can tell",
        AUTHORIZER,
        'AuthResponse(routes=[], principal_id="nobody", context=context)',
        'AuthResponse(["/play/*"] if document["status"] == 503 else [], "nobody", context)',
        tests=AT_AUTHORIZER,
    ),
    # ---- nginx and its endpoints ----
    Mutant(
        "access: nginx keeps verdicts by session alone",
        NGINX,
        VERDICT_KEY,
        ABOVE + r'proxy_cache_key "$sid\n$remote_addr\n$http_user_agent";',
        tests=AT_NGINX,
    ),
    Mutant(
        "access: nginx keeps verdicts for whoever has the token",
        NGINX,
        VERDICT_KEY,
        ABOVE + r'proxy_cache_key "$sid\n$http_authorization";',
        tests=AT_BOUND_NGINX,
    ),
    Mutant(
        "access: nginx serves stale verdicts",
        NGINX,
        "proxy_cache verdicts;",
        "proxy_cache verdicts;\n            proxy_cache_use_stale error timeout http_403;",
        tests=AT_NGINX,
    ),
    Mutant(
        "access: nginx does not look for denied streams",
        NGINX,
        "try_files /streams/$tollcast_stream @segment;",
        "try_files /nothing @segment;",
        also=((NGINX, AFTER_THE_WAIT, "try_files /sessions/$sid @served;"),),
        tests=AT_NGINX,
    ),
    Mutant(
        "access: nginx does not look for denied sessions",
        NGINX,
        SEGMENTS + METHODS + 'if (-f "@DENYLIST_DIR@/sessions/$sid") {',
        SEGMENTS + METHODS + 'if (-f "@DENYLIST_DIR@/nothing/$sid") {',
        also=((NGINX, AFTER_THE_WAIT, "try_files /streams/$tollcast_stream @served;"),),
        tests=AT_NGINX,
    ),
    Mutant(
        "access: nginx serves all where it cannot see the denylist",
        "gateway/denylist_seen.conf",
        'if (!-f "@DENYLIST_DIR@/sessions/.kept") {',
        'if (-f "@DENYLIST_DIR@/sessions/.nothing") {',
        tests=AT_NGINX_FRONT,
    ),
    Mutant(
        "access: nginx hands segments of 2 s out at the pace of those of 1 s",
        NGINX,
        "limit_req zone=usual_segments burst=8 delay=6;",
        "",
        tests=AT_NGINX_FRONT,
    ),
    Mutant(
        "access: nginx serves who was kicked while a segment waited for its turn",
        NGINX,
        AFTER_THE_WAIT,
        "try_files /nothing @served;",
        tests=AT_NGINX_KICKS,
    ),
    Mutant(
        "access: nginx asks for as many verdicts as a stranger wants",
        NGINX,
        "proxy_pass http://origin/verdict;",
        "proxy_pass http://endpoints/verdict;",
        tests=AT_NGINX_QUESTIONS,
    ),
    Mutant(
        "access: nginx takes names of segments that go on",
        NGINX,
        r"/[a-z0-9-]{1,64}\.ts)\z",
        r"/[a-z0-9-]{1,64}\.ts)",
        tests=AT_NGINX,
    ),
    Mutant(
        "access: a verdict is kept longer than its lease",
        ENDPOINTS,
        "last_s = min(until_ms // 1000 - 1, now_ms // 1000 + VERDICT_S_MAX)",
        "last_s = now_ms // 1000 + VERDICT_S_MAX",
        tests=AT_NGINX,
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
        "same(signature, parts[3]) && parsed(parts[2])",
        "parsed(parts[2])",
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
        "access: the edge goes on when the store is silent",
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
        "access: the edge tells the store whose token it was",
        EDGE,
        "        delete request.headers.authorization;\n",
        "",
        tests=AT_EDGE,
    ),
)
