#!/usr/bin/env bash
# Makes .venv on the first start, then becomes backend/supervisor.py.
set -euo pipefail

# Files such as config.py, backend/ or logging.py where the person stands must not stand in for ours or Python's.
export PYTHONSAFEPATH=1

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
venv=$root/.venv
stamp=$venv/installed

python_of_this_machine() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$name" -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1); print(sys.executable)' 2>/dev/null; then
            return
        fi
    done
    echo "Python 3.11 or newer is needed; install it and start again." >&2
    exit 2
}

is_installed() {
    [[ -x $venv/bin/python ]] && cmp -s "$stamp" "$root/pyproject.toml"
}

install() {
    local python=$1
    echo "The first start installs what is needed in $venv; that takes some minutes." >&2
    if ! "$python" -m venv "$venv" >&2; then
        echo "$venv could not be made; install Python's venv module (on Debian and Ubuntu: apt install python3-venv)." >&2
        exit 2
    fi
    if ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$root" >&2; then
        echo "The installation did not succeed; the lines above say why. Start again to go on with it." >&2
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
    "$python" "$root/config.py" "$@" # a mistake in the arguments is told before the wait
    mkdir -p "$venv"
    if command -v flock >/dev/null; then
        exec 9>"$venv/installing"
        flock 9 # two first starts at the same moment install once
    fi
    is_installed || install "$python"
    exec 9>&-
fi

# The installation knows this folder by the path it had then; ours comes first, also where it was moved or copied.
PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH} exec "$venv/bin/python" -m backend.supervisor "$@"
