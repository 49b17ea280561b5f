"""Known bugs of nginx and its endpoints."""

from tests.faults.mutants.mutant import Mutant

ENDPOINTS = "gateway/endpoints/authorization.py"
NGINX = "gateway/nginx/nginx.conf.template"

AT_NGINX = ("tests/integration/gateway/nginx/test_access_vectors.py",)
AT_NGINX_FRONT = ("tests/integration/gateway/nginx/test_nginx.py",)
AT_NGINX_PACE = ("tests/integration/gateway/nginx/test_nginx_pace.py",)
AT_NGINX_KICKS = ("tests/integration/gateway/nginx/test_nginx_kicks.py",)
AT_NGINX_ENDPOINT_LIMITS = ("tests/integration/gateway/nginx/test_nginx_endpoint_limits.py",)
AT_BOUND_NGINX = ("tests/integration/gateway/nginx/test_session_binding.py",)

# nginx checks the denylist before it delays a request, and again after the delay.
BEFORE_THE_WAIT = "try_files /sessions/$sid @segment;"
AFTER_THE_WAIT = "try_files /sessions/$sid /streams/$tollcast_stream @served;"
# The cache of authorization decisions.
ABOVE = "proxy_cache verdicts;\n            "
VERDICT_KEY = ABOVE + r'proxy_cache_key "$sid\n$remote_addr\n$http_user_agent\n$http_authorization";'

MUTANTS_OF_GATEWAY = (
    Mutant(
        "access: nginx keeps verdicts by session alone",
        NGINX,
        VERDICT_KEY,
        ABOVE + r'proxy_cache_key "$sid\n$remote_addr\n$http_user_agent";',
        tests=AT_NGINX,
    ),
    Mutant(
        "access: nginx caches verdicts by the token alone",
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
        AFTER_THE_WAIT,
        "try_files /sessions/$sid @served;",
        tests=AT_NGINX,
    ),
    Mutant(
        "access: nginx does not look for denied sessions",
        NGINX,
        BEFORE_THE_WAIT,
        "try_files /nothing @segment;",
        also=((NGINX, AFTER_THE_WAIT, "try_files /streams/$tollcast_stream @served;"),),
        tests=AT_NGINX,
    ),
    Mutant(
        "access: nginx lets a denied session wait for its refusal",
        NGINX,
        BEFORE_THE_WAIT,
        "try_files /nothing @segment;",
        tests=AT_NGINX_KICKS,
    ),
    Mutant(
        "access: nginx serves all where it cannot see the denylist",
        NGINX,
        'if (!-f "@DENYLIST_DIR@/sessions/.kept") {',
        'if (-f "@DENYLIST_DIR@/sessions/.nothing") {',
        tests=AT_NGINX_FRONT,
    ),
    Mutant(
        "access: nginx hands segments of 2 s out at the pace of those of 1 s",
        NGINX,
        "limit_req zone=usual_segments burst=8 delay=6;",
        "",
        tests=AT_NGINX_PACE,
    ),
    Mutant(
        "access: nginx serves who was kicked while a segment waited for its turn",
        NGINX,
        AFTER_THE_WAIT,
        "try_files /streams/$tollcast_stream @served;",
        tests=AT_NGINX_KICKS,
    ),
    Mutant(
        "access: nginx requests decisions for a stranger without a limit",
        NGINX,
        "proxy_pass http://origin/verdict;",
        "proxy_pass http://endpoints/verdict;",
        tests=AT_NGINX_ENDPOINT_LIMITS,
    ),
    Mutant(
        "access: nginx takes names of segments that go on",
        NGINX,
        r"/[a-z0-9-]{1,64}\.ts)\z",
        r"/[a-z0-9-]{1,64}\.ts)",
        tests=AT_NGINX,
    ),
    Mutant(
        "access: a decision is cached longer than its lease",
        ENDPOINTS,
        "last_s = min(until_ms // 1000 - 1, now_ms // 1000 + CACHE_S_MAX)",
        "last_s = now_ms // 1000 + CACHE_S_MAX",
        tests=AT_NGINX,
    ),
)
