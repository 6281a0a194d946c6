#!/usr/bin/env bash
# Installs what the tests need and runs all of them: lint, types, page, Python. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=${PYTHON:-python3}
"$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
cp pyproject.toml .venv/installed # launch.sh need not install again

if ! command -v chromium >/dev/null || ! PATH=$PATH:/usr/sbin command -v nginx >/dev/null; then
    as_root=$([[ $EUID -eq 0 ]] || echo sudo)
    $as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -qq -y --no-install-recommends chromium nginx >/dev/null
fi

echo '--- page'
(
    cd reactcode
    npm ci --silent --no-audit --no-fund
    npm test --silent
    npm run build --silent
)
if [[ -n $(git status --porcelain -- reactcode/dist) ]]; then
    git status --short -- reactcode/dist
    echo 'reactcode/dist is not what the sources build: run npm run build in reactcode/ and commit it.' >&2
    exit 1
fi

echo '--- lint and types'
.venv/bin/ruff check --output-format concise .
.venv/bin/ruff format --check --quiet .
.venv/bin/mypy

echo '--- tests'
tests() { # those that a selection such as -k leaves none of are no failure
    .venv/bin/python -m pytest "$@" || [[ $? -eq 5 ]]
}
tests -n auto -m 'not processes and not browser and not foreign' "$@"
tests -m '(processes or browser) and not foreign' "$@" # they measure and time out: one at a time
