"""Known bugs of nginx and its endpoints."""

from tests.faults.mutants.mutant import LEASE, Mutant

ENDPOINTS = "gateway/endpoints/authorization.py"
NGINX = "gateway/nginx/nginx.conf.template"
HOLD = "gateway/nginx/hold.lua"

RESPONSES = "gateway/usage/media_responses.py"
PARTS = "gateway/usage/segment_parts.py"
FOLLOWER = "gateway/usage/follower.py"
USAGE = "chalicelib/adapters/money/dynamodb_usage.py"
MEASURING = "chalicelib/domain/money/measuring.py"

AT_NGINX = ("tests/integration/gateway/nginx/test_access_vectors.py",)
AT_NGINX_FRONT = ("tests/integration/gateway/nginx/test_nginx.py",)
AT_HOLD = ("tests/integration/gateway/nginx/test_hold.py",)
AT_NGINX_KICKS = ("tests/integration/gateway/nginx/test_nginx_kicks.py",)
AT_NGINX_ENDPOINT_LIMITS = ("tests/integration/gateway/nginx/test_nginx_endpoint_limits.py",)
AT_NGINX_USAGE = ("tests/integration/gateway/nginx/test_nginx_usage.py",)
AT_NGINX_FOLLOWERS = ("tests/integration/gateway/nginx/test_nginx_followers.py",)
AT_LOSSES = ("tests/unit/gateway/test_usage_losses.py",)
AT_PARTS = ("tests/unit/gateway/test_served_segments.py",)
AT_LEASE = ("tests/unit/money/test_lease.py",)
AT_MEASURING = ("tests/unit/money/test_measuring.py",)
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
    "access: the hold is ignored": Mutant(NGINX, "access_by_lua_block { hold.wait() }", "", AT_HOLD),
    "access: the hold reserves nothing before the answer": Mutant(
        HOLD,
        "if dict:incr(sid, ms, unknown) <= bound then\n        return ms",
        "if dict:incr(sid, 0, unknown) + ms <= bound then\n        return 0",
        AT_HOLD,
        also=((HOLD, "    dict:incr(sid, -ms)\n", ""),),
    ),
    "access: the hold counts a segment twice in two renditions": Mutant(
        HOLD, 'var.media:match("[^/]*$")', "var.media", AT_HOLD
    ),
    "access: the hold counts a repetition": Mutant(
        HOLD, "math.min(sum, ms) - math.min(sum - sent_ms, ms)", "sent_ms", AT_HOLD
    ),
    "access: the hold counts no ranges": Mutant(HOLD, 'if var.status == "206" then', "if false then", AT_HOLD),
    "access: the hold keeps what a failed answer reserved": Mutant(
        NGINX, "{ hold.count() transfers.finish() }", "{ transfers.finish() }", AT_HOLD
    ),
    "access: the hold knows no long segments": Mutant(
        NGINX, "{ hold.correct() transfers.start() }", "{ transfers.start() }", AT_HOLD
    ),
    "access: the hold lets a kicked session wait": Mutant(HOLD, "if is_denied(var) then", "if false then", AT_HOLD),
    "access: the hold finds no payment": Mutant(
        HOLD, 'dict:set("fetchable:" .. var.sid, fetchable_ms, SESSION_S)', "", AT_HOLD
    ),
    "access: the allowance is more than a session was granted": Mutant(
        LEASE, "return min(ALLOWANCE_MS, granted_ms)", "return ALLOWANCE_MS", AT_LEASE
    ),
    "access: the last lease has an allowance": Mutant(
        LEASE, "ahead_ms = min(ahead_ms, available * MS_PER_MINUTE // rate)", "pass", AT_LEASE
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
    "usage: a part counts as whole": Mutant(
        RESPONSES, "entry.is_open or (entry.complete and entry.status == WHOLE_STATUS)", "True", AT_NGINX_USAGE
    ),
    "usage: a range that was sent completely counts as whole": Mutant(
        RESPONSES, "entry.complete and entry.status == WHOLE_STATUS", "entry.complete", AT_NGINX_USAGE
    ),
    "usage: nginx logs a segment that it sends slowly at its end only": Mutant(
        NGINX, "{ hold.correct() transfers.start() }", "{ hold.correct() }", AT_NGINX_FOLLOWERS
    ),
    "usage: a segment that is sent slowly counts at its end only": Mutant(
        RESPONSES, "entry.is_open or (entry", "(entry", AT_NGINX_FOLLOWERS
    ),
    "usage: nginx logs the size of the part as that of the segment": Mutant(
        "gateway/nginx/snippets/log_formats.conf",
        'map "$status $sent_http_content_length $sent_http_content_range" $logged_segment_bytes {',
        'map "200 $sent_http_content_length " $logged_segment_bytes {',
        AT_NGINX_USAGE,
    ),
    "usage: bytes that were sent twice count twice": Mutant(
        PARTS,
        "        apart = [each for each in self._intervals if each[1] < first or each[0] > end]\n",
        "        apart = list(self._intervals)\n",
        AT_PARTS,
    ),
    "usage: two gateways count twice": Mutant(
        USAGE, 'if name.startswith("s_")))', 'if name == "s"))', AT_NGINX_FOLLOWERS
    ),
    "usage: a lost range is forgotten": Mutant(
        FOLLOWER, "lost = () if self._is_lost_stored else self._checkpoint.lost", "lost = ()", AT_LOSSES
    ),
    "usage: a lost range is forgotten at a crash": Mutant(
        FOLLOWER, "self._is_lost_stored = not self._checkpoint.lost", "self._is_lost_stored = True", AT_LOSSES
    ),
    "usage: a loss is written after the position beyond it": Mutant(
        FOLLOWER, "            self._close_loss(began_ms)\n", "            pass\n", AT_LOSSES
    ),
    "usage: a follower that is stopped alone leaves": Mutant(
        FOLLOWER, "        if self._gateway_runs():\n", "        if False:\n", AT_LOSSES
    ),
    "usage: a follower that starts again is not waited for": Mutant(
        FOLLOWER, "            self._report()\n        self._add_batch()\n", "        self._add_batch()\n", AT_LOSSES
    ),
    "usage: a gone follower is ignored": Mutant(
        MEASURING, "each.heard_ms > started_at_ms - FOLLOWER_GONE_MS", "each.heard_ms > started_at_ms", AT_MEASURING
    ),
    "usage: one follower that is past the end is enough": Mutant(
        MEASURING, "all(each.through_ms >= complete_ms", "any(each.through_ms >= complete_ms", AT_MEASURING
    ),
    "usage: what a follower lost before it left is ignored": Mutant(
        MEASURING, "for each in follower.lost]", "for each in follower.lost if follower.through_ms]", AT_MEASURING
    ),
}
