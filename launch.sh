#!/usr/bin/env bash
# Makes .venv on the first start, then becomes backend/supervisor.py.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # for `sh launch.sh`, and for other shells
set -euo pipefail

# Files such as config.py, backend/ or logging.py where the person stands must not stand in for ours or Python's.
export PYTHONSAFEPATH=1
# Names are UTF-8, whatever the locale says.
export PYTHONUTF8=1

# A closed standard stream becomes /dev/null: otherwise the next file that is opened would get its number and its text.
{ : <&0; } 2>/dev/null || exec 0</dev/null
{ : >&1; } 2>/dev/null || exec 1</dev/null
{ : >&2; } 2>/dev/null || exec 2</dev/null

script=${BASH_SOURCE[0]}
while [[ -L $script ]]; do # A folder of commands may hold a link to this file.
    target=$(readlink -- "$script")
    [[ $target == /* ]] || target=$(dirname -- "$script")/$target
    script=$target
done
root=$(CDPATH='' cd -- "$(dirname -- "$script")" && pwd)
venv=$root/.venv
stamp=$venv/installed

say() {
    echo "$1" >&2 || true # A closed or full standard error must not end the script.
}

python_of_this_machine() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$name" -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1); print(sys.executable)' 2>/dev/null; then
            return
        fi
    done
    say "Python 3.11 or newer is needed; install it and start again."
    exit 2
}

is_installed() {
    [[ -x $venv/bin/python ]] && cmp -s "$stamp" "$root/pyproject.toml"
}

make_venv() {
    "$1" -m venv "$venv" >&2 || { command -v uv >/dev/null && uv venv --quiet --seed --python "$1" "$venv" >&2; }
}

install() {
    local python=$1
    say "The first start installs what is needed in $venv; that takes some minutes."
    if ! make_venv "$python"; then
        say "$venv could not be made; install Python's venv module (on Debian and Ubuntu: apt install python3-venv)."
        exit 2
    fi
    if ! "$venv/bin/python" "$root/backend/installation.py" "$venv/bin/python" "$root"; then
        say "The installation did not succeed; the lines above say why. Start again to go on with it."
        exit 1
    fi
    cp "$root/pyproject.toml" "$stamp"
}

help() {
    local python
    python=$(python_of_this_machine)
    exec "$python" "$root/config.py" --help
}

[[ $# -gt 0 ]] || help
for argument in "$@"; do
    [[ $argument != -h && $argument != --help ]] || help
done

if ! is_installed; then
    python=$(python_of_this_machine)
    "$python" "$root/config.py" "$@" # This reports a mistake in the arguments before the wait.
    if ! mkdir -p "$venv" 2>/dev/null || [[ ! -w $venv ]]; then
        say "Nothing can be installed in $venv; make it writable, or take the wheel, see docs/start/installation.md."
        exit 2
    fi
    if command -v flock >/dev/null; then
        exec 9>"$venv/installing"
        flock 9 || true # Two first starts at the same moment install once, if the disk supports locks.
    fi
    is_installed || install "$python"
    exec 9>&-
fi

# The installation refers to this folder by its old path. PYTHONPATH comes first, so a moved or copied folder works.
PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH} exec "$venv/bin/python" -m backend.supervisor "$@"
