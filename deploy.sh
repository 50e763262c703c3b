#!/usr/bin/env bash
# Deploys the pipeline to AWS. This file finds a Python and what the commands need; they are in deployment/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# Bytecode is kept below .local, whatever the caller's PYTHONDONTWRITEBYTECODE: sam compiles for seconds without.
export PYTHONDONTWRITEBYTECODE='' PYTHONPYCACHEPREFIX=$PWD/.local/bytecode

fail() {
    echo "deploy.sh: $*" >&2
    exit 1
}

python=''
for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[[ -n $python ]] || fail "no Python 3.11 or newer with venv found: install one"

help=false
if (($# == 0)); then help=true; fi
for argument in "$@"; do
    if [[ $argument == --help || $argument == -h ]]; then help=true; fi
done
if $help; then
    exec "$python" -m deployment "${@:---help}"
fi

# sam, and what restore.sh runs on too, from the locks in requirements/; a minute the first time.
"$python" -c 'from tooling.environments import ensure; ensure(("sam", "operator"), print)' >&2 ||
    fail "its tools could not be installed; what is said above is why"
export PATH=$PATH:$PWD/.local/envs/sam/bin
exec .local/envs/operator/bin/python -m deployment "$@"
