#!/usr/bin/env bash
# Installs what is missing: Debian packages, and a Python environment at pinned versions in .venv. `make setup`.
# With the word `test` also what only the tests need: a browser, Node and the packages of tests/browser. `make test`.
# With the word `bench` also what only measurements need: wrk. `make bench`.
# Repeating it costs less than a second. What it cannot install it names, with the command that would.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

FOR_TESTS=no
FOR_BENCH=no
case "${1:-}" in
    '') ;;
    test) FOR_TESTS=yes ;;
    bench) FOR_BENCH=yes ;;
    *) printf 'usage: %s [test | bench]\n' "$0" >&2; exit 2 ;;
esac

STAMP=.venv/.tollcast-setup
BROWSER=tests/browser
BROWSER_STAMP=$BROWSER/node_modules/.tollcast-setup
PATH="$PATH:/usr/sbin:/sbin"

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

wanted_stamp() { cat requirements.lock pyproject.toml infra/local/setup/install.sh | sha256sum | cut -d' ' -f1; }

missing_packages() {
    command -v nginx >/dev/null || echo nginx-light
    [ -e /usr/lib/nginx/modules/ngx_rtmp_module.so ] || echo libnginx-mod-rtmp
    command -v mpv >/dev/null || echo mpv
    { command -v ffmpeg && command -v ffprobe; } >/dev/null || echo ffmpeg
    command -v setpriv >/dev/null || echo util-linux
    [ "$FOR_BENCH" = no ] || command -v wrk >/dev/null || echo wrk
    [ "$FOR_TESTS" = yes ] || return 0
    command -v chromium >/dev/null || echo chromium
    command -v node >/dev/null || echo nodejs
    command -v npm >/dev/null || echo npm
    command -v nft >/dev/null || echo nftables
    command -v ip >/dev/null || echo iproute2
}

wanted_browser_stamp() { sha256sum < "$BROWSER/package-lock.json"; }

browser_ready() { [ "$FOR_TESTS" = no ] || [ "$(cat "$BROWSER_STAMP" 2>/dev/null)" = "$(wanted_browser_stamp)" ]; }

install_browser_packages() {
    local command="cd $BROWSER && npm ci --no-audit --no-fund"
    say "Installing the packages of $BROWSER at pinned versions (half a minute)"
    (eval "$command" >/dev/null) || die "That failed; the lines above say why. Is the npm registry within reach? Try: $command"
    wanted_browser_stamp > "$BROWSER_STAMP"
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
    command -v apt-get >/dev/null || die "Missing: $*. This machine has no apt-get; install them by its own means."
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "Missing: $*. As root: apt-get install --no-install-recommends $*"
        # Without a terminal nobody can type a password.
        [ -t 0 ] || sudo -n true 2>/dev/null || die "Missing: $*. Install them with: $command"
    fi
    say "Installing Debian packages: $* (a minute or two)"
    forbid_services
    trap allow_services EXIT INT TERM
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -qq)
    as_root "${apt[@]}" update || say "apt-get update failed; trying with what is known"
    as_root "${apt[@]}" install -y --no-install-recommends "$@" >/dev/null || die "That failed. Try: $command"
    allow_services
    trap - EXIT INT TERM
    case " $* " in *" nginx-light "*)
        # Debian would start its own nginx on port 80 at the next boot; nobody asked for that.
        as_root systemctl disable --quiet nginx.service 2>/dev/null || as_root update-rc.d nginx disable 2>/dev/null || true ;;
    esac
}

# Debian starts a service right after installing it, unless this file says no. One that is there is somebody else's.
POLICY=/usr/sbin/policy-rc.d
OURS=no
forbid_services() {
    [ -e "$POLICY" ] && return
    OURS=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
}
allow_services() {
    [ "$OURS" = no ] || as_root rm -f "$POLICY"
    OURS=no
}

mapfile -t packages < <(missing_packages)
if [ "${#packages[@]}" = 0 ] && [ -x .venv/bin/python ] && [ "$(cat "$STAMP" 2>/dev/null)" = "$(wanted_stamp)" ]; then
    browser_ready || install_browser_packages
    exit 0
fi
if [ ! -x .venv/bin/python ]; then
    python=$(find_python)
    [ -n "$python" ] || packages+=(python3)
    [ -n "$python" ] && "$python" -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
fi
[ "${#packages[@]}" = 0 ] || install_packages "${packages[@]}"
browser_ready || install_browser_packages

# An environment that was moved or left half made does not run; then it is made anew.
if ! .venv/bin/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$(find_python)
    [ -n "$python" ] || die "Python 3.11 or newer is missing. On Debian 12 and Ubuntu 24.04: sudo apt-get install python3 python3-venv"
    say "Making a Python environment in .venv ($("$python" --version))"
    rm -rf .venv
    "$python" -m venv .venv || { rm -rf .venv; die "That failed. Try: sudo apt-get install python3-venv"; }
fi
say "Installing $(grep -c == requirements.lock) Python packages at pinned versions (about a minute)"
pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }
# The lock names everything, so pip need not look for what its packages want.
pip install --no-deps --progress-bar off --requirement requirements.lock \
    | awk '/^Collecting/ && ++n % 20 == 0 {print "  " n " fetched"; fflush()} /^Installing/ {print "  installing"; fflush()}' \
    || die "Installing the Python packages failed; the lines above say why. Is PyPI within reach?"
pip install --quiet --no-deps --no-build-isolation --editable . || die "Installing this project failed; the lines above say why."
pip check || die "The Python packages do not fit together."
wanted_stamp > "$STAMP"
say "Set up. The viewer's command is $PWD/.venv/bin/player"
