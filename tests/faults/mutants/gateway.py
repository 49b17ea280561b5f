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

MUTANTS_OF_GATEWAY = {
    "access: nginx keeps verdicts by session alone": Mutant(
        NGINX, VERDICT_KEY, ABOVE + r'proxy_cache_key "$sid\n$remote_addr\n$http_user_agent";', AT_NGINX
    ),
    "access: nginx caches verdicts by the token alone": Mutant(
        NGINX, VERDICT_KEY, ABOVE + r'proxy_cache_key "$sid\n$http_authorization";', AT_BOUND_NGINX
    ),
    "access: nginx serves stale verdicts": Mutant(
        NGINX,
        "proxy_cache verdicts;",
        "proxy_cache verdicts;\n            proxy_cache_use_stale error timeout http_403;",
        AT_NGINX,
    ),
    "access: nginx does not look for denied streams": Mutant(
        NGINX, AFTER_THE_WAIT, "try_files /sessions/$sid @served;", AT_NGINX
    ),
    "access: nginx does not look for denied sessions": Mutant(
        NGINX,
        BEFORE_THE_WAIT,
        "try_files /nothing @segment;",
        AT_NGINX,
        also=((NGINX, AFTER_THE_WAIT, "try_files /streams/$tollcast_stream @served;"),),
    ),
    "access: nginx lets a denied session wait for its refusal": Mutant(
        NGINX, BEFORE_THE_WAIT, "try_files /nothing @segment;", AT_NGINX_KICKS
    ),
    "access: nginx serves all where it cannot see the denylist": Mutant(
        NGINX,
        'if (!-f "@DENYLIST_DIR@/sessions/.kept") {',
        'if (-f "@DENYLIST_DIR@/sessions/.nothing") {',
        AT_NGINX_FRONT,
    ),
    "access: nginx hands segments of 2 s out at the pace of those of 1 s": Mutant(
        NGINX, "limit_req zone=usual_segments burst=8 delay=6;", "", AT_NGINX_PACE
    ),
    "access: nginx serves who was kicked while a segment waited for its turn": Mutant(
        NGINX, AFTER_THE_WAIT, "try_files /streams/$tollcast_stream @served;", AT_NGINX_KICKS
    ),
    "access: nginx requests decisions for a stranger without a limit": Mutant(
        NGINX, "proxy_pass http://origin/verdict;", "proxy_pass http://endpoints/verdict;", AT_NGINX_ENDPOINT_LIMITS
    ),
    "access: nginx takes names of segments that go on": Mutant(
        NGINX, r"/[a-z0-9-]{1,64}\.ts)\z", r"/[a-z0-9-]{1,64}\.ts)", AT_NGINX
    ),
    "access: a decision is cached longer than its lease": Mutant(
        ENDPOINTS,
        "last_s = min(until_ms // 1000 - 1, now_ms // 1000 + CACHE_S_MAX)",
        "last_s = now_ms // 1000 + CACHE_S_MAX",
        AT_NGINX,
    ),
}
