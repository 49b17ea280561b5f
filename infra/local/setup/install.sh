#!/usr/bin/env bash
# Install what is missing (`make setup`): Debian packages, and a Python environment with pinned versions in .venv.
# With the argument `test` also what only the tests need (`make test`): a browser, and the packages of tests/requirements.lock.
# With the argument `prometheus` also Prometheus (`make up WITH=prometheus`).
# With the argument `bench` also what only measurements need (`make bench`): wrk.
# A second run takes less than a second. If it cannot install a package, it prints the command that installs it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

FOR_TESTS=no
FOR_BENCH=no
WITH_PROMETHEUS=no
case "${1:-}" in
    '') ;;
    test) FOR_TESTS=yes; WITH_PROMETHEUS=yes ;;
    bench) FOR_BENCH=yes ;;
    prometheus) WITH_PROMETHEUS=yes ;;
    *) printf 'usage: %s [test | bench | prometheus]\n' "$0" >&2; exit 2 ;;
esac

STAMP=.venv/.tollcast-setup
TEST_LOCK=tests/requirements.lock
TEST_STAMP=.venv/.tollcast-test-setup
PATH="$PATH:/usr/sbin:/sbin"

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

wanted_stamp() { cat requirements.lock pyproject.toml infra/local/setup/install.sh | sha256sum | cut -d' ' -f1; }

missing_packages() {
    command -v nginx >/dev/null || echo nginx-light
    [ -e /usr/lib/nginx/modules/ngx_http_lua_module.so ] || echo libnginx-mod-http-lua
    [ -e /usr/lib/nginx/modules/ngx_rtmp_module.so ] || echo libnginx-mod-rtmp
    command -v mpv >/dev/null || echo mpv
    { command -v ffmpeg && command -v ffprobe; } >/dev/null || echo ffmpeg
    command -v setpriv >/dev/null || echo util-linux
    [ "$FOR_BENCH" = no ] || command -v wrk >/dev/null || echo wrk
    # promtool, which tests use, comes with it.
    [ "$WITH_PROMETHEUS" = no ] || command -v prometheus >/dev/null || echo prometheus
    [ "$FOR_TESTS" = yes ] || return 0
    command -v chromium >/dev/null || echo chromium
    command -v nft >/dev/null || echo nftables
    command -v ip >/dev/null || echo iproute2
}

pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }

test_packages_ready() { [ "$FOR_TESTS" = no ] || [ "$(cat "$TEST_STAMP" 2>/dev/null)" = "$(sha256sum < "$TEST_LOCK")" ]; }

install_test_packages() {
    say "Installing the Python packages of the tests at pinned versions (55 MB)"
    pip install --quiet --no-deps --requirement "$TEST_LOCK" || die "Installing the tests' packages failed; the lines above say why. Can this machine reach PyPI?"
    sha256sum < "$TEST_LOCK" > "$TEST_STAMP"
}

find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
    local command="sudo apt-get install --no-install-recommends $*"
    command -v apt-get >/dev/null || die "Missing: $*. This machine has no apt-get. Install them with its package manager."
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "Missing: $*. As root: apt-get install --no-install-recommends $*"
        # Without a terminal no password can be entered.
        [ -t 0 ] || sudo -n true 2>/dev/null || die "Missing: $*. Install them with: $command"
    fi
    say "Installing Debian packages: $* (a minute or two)"
    forbid_services
    trap allow_services EXIT INT TERM
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -qq)
    as_root "${apt[@]}" update || say "apt-get update failed. Trying with the package lists of before."
    as_root "${apt[@]}" install -y --no-install-recommends "$@" >/dev/null || die "That failed. Try: $command"
    allow_services
    trap - EXIT INT TERM
    case " $* " in *" nginx-light "*)
        # Debian would start its own nginx on port 80 at the next boot.
        as_root systemctl disable --quiet nginx.service 2>/dev/null || as_root update-rc.d nginx disable 2>/dev/null || true ;;
    esac
    case " $* " in *" prometheus "*)
        # The same on port 9090.
        as_root systemctl disable --quiet prometheus.service 2>/dev/null || as_root update-rc.d prometheus disable 2>/dev/null || true ;;
    esac
}

# Debian starts a service after its installation, unless this file forbids it. An existing file is not changed.
POLICY=/usr/sbin/policy-rc.d
POLICY_IS_OURS=no
forbid_services() {
    [ -e "$POLICY" ] && return
    POLICY_IS_OURS=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
}
allow_services() {
    [ "$POLICY_IS_OURS" = no ] || as_root rm -f "$POLICY"
    POLICY_IS_OURS=no
}

mapfile -t packages < <(missing_packages)
if [ "${#packages[@]}" = 0 ] && [ -x .venv/bin/python ] && [ "$(cat "$STAMP" 2>/dev/null)" = "$(wanted_stamp)" ]; then
    test_packages_ready || install_test_packages
    exit 0
fi
if [ ! -x .venv/bin/python ]; then
    python=$(find_python)
    [ -n "$python" ] || packages+=(python3)
    [ -n "$python" ] && "$python" -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
fi
[ "${#packages[@]}" = 0 ] || install_packages "${packages[@]}"

# An environment that was moved or is incomplete does not run. Then it is created again.
if ! .venv/bin/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$(find_python)
    [ -n "$python" ] || die "Python 3.11 or newer is missing. On Debian 12 and Ubuntu 24.04: sudo apt-get install python3 python3-venv"
    say "Creating a Python environment in .venv ($("$python" --version))"
    rm -rf .venv
    "$python" -m venv .venv || { rm -rf .venv; die "That failed. Try: sudo apt-get install python3-venv"; }
fi
say "Installing $(grep -c == requirements.lock) Python packages at pinned versions (about a minute)"
# The lock lists all packages, so pip does not resolve dependencies.
pip install --no-deps --progress-bar off --requirement requirements.lock \
    | awk '/^Collecting/ && ++n % 20 == 0 {print "  " n " downloaded"; fflush()} /^Installing/ {print "  installing"; fflush()}' \
    || die "Installing the Python packages failed; the lines above say why. Can this machine reach PyPI?"
pip install --quiet --no-deps --no-build-isolation --editable . || die "Installing this project failed; the lines above say why."
test_packages_ready || install_test_packages
pip check || die "The Python packages have conflicting requirements."
wanted_stamp > "$STAMP"
say "Setup is complete. The viewer's command is $PWD/.venv/bin/player, the operator's $PWD/.venv/bin/tollcast-admin"
