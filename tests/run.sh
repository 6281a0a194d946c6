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

together=$(mktemp -d)
trap 'kill "${checks:-}" "${browser:+-$browser}" 2>/dev/null || true; rm -rf "$together"' EXIT

echo '--- lint and types, while the page is built and tested'
python_checks() {
    .venv/bin/ruff check --output-format concise . &&
        .venv/bin/ruff format --check --quiet . &&
        .venv/bin/mypy &&
        .venv/bin/lint-imports
}
python_checks >"$together/checks" 2>&1 &
checks=$!

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

wait "$checks" || {
    cat "$together/checks"
    exit 1
}
tail -n 3 "$together/checks"

echo '--- tests'
tests() { # those that a selection such as -k leaves none of are no failure
    .venv/bin/python -m pytest "$@" || [[ $? -eq 5 ]]
}
EXAMPLES=all tests -n auto -m 'not processes and not browser and not foreign' "$@" # also the slow ones

# What starts real processes waits more than it computes: the two kinds run beside one another, each a test at a time.
set -m # as a job of its own, so that Ctrl-C means the same in its tests as in a terminal
tests -m 'browser and not foreign' "$@" >"$together/browser" 2>&1 &
browser=$!
set +m
tests -m 'processes and not browser and not foreign' "$@"
echo '--- tests in the browser'
wait "$browser" || failed=$?
cat "$together/browser"
exit "${failed:-0}"
