"""Known bugs of what operators see and do: ingest issues, lists, roles, blocks, series."""

from tests.faults.mutants.mutant import RECORDS, Mutant

ISSUES = "worker/issues"
TRACKER = f"{ISSUES}/tracker.py"
UNCLAIMED = "chalicelib/services/streams/ingest_issues.py"
SAMPLER = "chalicelib/services/operations/sampler.py"
BLOCKS = "chalicelib/domain/access/blocks.py"

BY_RULES = ("tests/unit/worker/issues/test_rules.py",)
BY_WINDOWS = ("tests/unit/worker/issues/test_repair_windows.py",)
BY_TIMES = ("tests/unit/worker/issues/test_tracker.py",)
BY_CONTROLLER = ("tests/unit/streams/test_waiting.py",)
OF_BLOCKS = ("tests/unit/access/test_blocks.py", "tests/http/operations/test_kicks.py")

MUTANTS_OF_OPERATING = {
    "issues: a sender that stays goes on reconnecting": Mutant(
        f"{ISSUES}/sender_rules.py",
        "least, within_s = (CONNECTIONS_STAY, CONNECTIONS_STAY_S) if is_open",
        "least, within_s = (1, CONNECTIONS_S) if is_open",
        BY_RULES,
    ),
    "issues: an old rejection stays": Mutant(
        f"{ISSUES}/sender_rules.py", "if each.last_at_ms > since_ms}", "if each.last_at_ms > 0}", BY_RULES
    ),
    "issues: a backup's size is a change": Mutant(
        f"{ISSUES}/source_rules.py",
        "before = self._sizes.get(source.name, size)\n        self._sizes[source.name] = size",
        'before = self._sizes.get("", size)\n        self._sizes[""] = size',
        BY_RULES,
    ),
    "issues: a bitrate is compared with the ladder's": Mutant(
        f"{ISSUES}/source_rules.py",
        "usual_bps = median(bps for _, bps in samples)",
        "usual_bps = samples[0][1] // 3",
        BY_RULES,
    ),
    "issues: the speed is that of one second": Mutant(
        "worker/transcoding/reporter.py",
        "SPEED_WINDOW_S = 5.0",
        "SPEED_WINDOW_S = 0.5",
        ("tests/unit/worker/transcoding/test_reporter.py",),
    ),
    "issues: the turn of a loop is a drift": Mutant(
        "worker/transcoding/encoding_run.py",
        "            self._sound.restart_drift()\n",
        "            pass\n",
        ("tests/unit/worker/transcoding/test_runs.py",),
    ),
    "issues: a still picture has a low bitrate": Mutant(
        f"{ISSUES}/source_rules.py", " and moves is not False", "", BY_RULES
    ),
    "issues: the backup is the first source": Mutant(
        f"{ISSUES}/delivery_rules.py", "is_backup = seen.playing not in (first, SLATE)", "is_backup = False", BY_RULES
    ),
    "issues: a disk that has room again stays low": Mutant(
        f"{ISSUES}/delivery_rules.py", "seen.disk_free_bytes < least", "seen.disk_free_bytes > 0", BY_RULES
    ),
    "issues: repairs of an earlier run go on": Mutant(
        f"{ISSUES}/repair_windows.py", "            self._windows.clear()\n", "", BY_WINDOWS
    ),
    "issues: what was counted once is never over": Mutant(
        f"{ISSUES}/repair_windows.py", "for window in windows[-RECENT:])", "for window in windows)", BY_WINDOWS
    ),
    "issues: the pattern has the source's repairs": Mutant(
        f"{ISSUES}/judge.py", " if seen.source else {}", "", (*BY_RULES, *BY_WINDOWS)
    ),
    "issues: an issue opens at once": Mutant(
        TRACKER, "lasted_s < KINDS[issue_type].opens_after_s * self._scale", "lasted_s < 0", BY_TIMES
    ),
    "issues: what is unknown stays open": Mutant(
        TRACKER, "        return self._close(issue_type, CloseReason.UNKNOWN)", "        return None", BY_TIMES
    ),
    "issues: what flaps closes as soon as ever": Mutant(
        TRACKER, "        if lately <= 1:", "        if lately >= 0:", BY_TIMES
    ),
    "issues: a stream without a worker keeps its worker's": Mutant(
        UNCLAIMED, "        if waiting is not None:\n", "        if waiting is None:\n", BY_CONTROLLER
    ),
    "issues: a stopped stream keeps its issues": Mutant(
        UNCLAIMED,
        "        self._close(*self._table.open_issues(stream_id), reason=CloseReason.STOPPED)",
        "        self._close(reason=CloseReason.STOPPED)",
        BY_CONTROLLER,
    ),
    "lists: an ended session stays in the list of active ones": Mutant(
        RECORDS,
        ", list_key = :list_key, list_order = :list_order",
        ", list_order = :list_order",
        ("tests/contract/money/test_session_lists.py",),
        also=(
            (RECORDS, "place = ended_keys(seen.session_id, reason, now_ms)", 'place = {"list_order": f"{now_ms}.x"}'),
        ),
    ),
    "roles: finance ends sessions": Mutant(
        "chalicelib/api/access/playback.py",
        '"/playback/kick", roles=OPERATORS,',
        '"/playback/kick", roles=STAFF,',
        ("tests/unit/accounts/test_roles.py",),
        also=(("chalicelib/api/access/playback.py", "import OPERATORS, VIEWERS", "import STAFF, VIEWERS"),),
    ),
    "roles: a role is not asked": Mutant(
        "chalicelib/api/endpoint.py",
        "services.auth.check_account(caller, endpoint.roles)",
        "services.auth.check_account(caller, frozenset(Role))",
        ("tests/http/accounts/test_roles.py",),
    ),
    "blocks: a block lasts for ever": Mutant(BLOCKS, "return now_ms < self.until_ms", "return True", OF_BLOCKS),
    "blocks: a block of one stream is of all": Mutant(
        BLOCKS, "return self.stream_id in (None, stream_id)", "return True", OF_BLOCKS
    ),
    "series: a gap of the gateway's log is a zero": Mutant(
        SAMPLER,
        "return own | dict.fromkeys(OF_GATEWAYS)\n",
        "return own | dict.fromkeys(OF_GATEWAYS, 0)\n",
        ("tests/unit/operations/test_series_restarts.py", "tests/unit/operations/test_sampler.py"),
    ),
    "series: what came in a gap is of one minute": Mutant(
        SAMPLER,
        " or not 0 <= now_ms - seen.at_ms <= APART_MS_MAX:",
        ":",
        ("tests/unit/operations/test_sampler.py",),
    ),
    "commands: an empty text counts as left out": Mutant(
        "player/lazy_group.py",
        "        refuse_empty_texts(below)\n",
        "        pass\n",
        ("tests/unit/admin/test_admin_options.py", "tests/integration/admin/test_admin_money.py"),
    ),
}
