#!/usr/bin/env bash
# All checks and tests of the project, on this machine alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# Bytecode is kept below .local, whatever the caller's PYTHONDONTWRITEBYTECODE: sam compiles for seconds without.
export PYTHONDONTWRITEBYTECODE='' PYTHONPYCACHEPREFIX=$PWD/.local/bytecode

readonly ENVIRONMENTS=$PWD/.local/envs
readonly DEV=$ENVIRONMENTS/dev/bin
readonly PRODUCT=(utils lambda_functions/*/*.py deployment restore_command docs tooling)
readonly TEMPLATES=(template.yaml infrastructure/*.yaml)
readonly MACHINES=(statemachine/*.asl.json)
readonly SCRIPTS=(./*.sh .ci/run)

usage() {
    cat <<'HELP'
Usage: ./test.sh [--fast | --faults [--only PATTERN …] | --conformance aws | --help]

Sets up what it needs under .local/ (first time: a few minutes), then runs

  checks        ruff, mypy --strict, shellcheck, cfn-lint (IAM policies too), sam validate --lint, checkov, asl-validator
  unit          fast tests of every module; coverage with branches of at least 95 % is enforced
  conventions   what holds between code, state machine, templates and README
  local cloud   the local Aurora and the AWS around it are what they claim to be, fact by fact; where a Chromium is installed also
                the pages of the evidence in it, with axe's rules of accessibility
  integration   the deployed pipeline on the local cloud
  deployment    deploy.sh from nothing to a nightly restore and back, and its selftest, on local clouds of their own
  faults        a sample of the fault sweep: every step, every kind of fault

  --fast        only checks, unit and conventions
  --faults      instead of all that the whole sweep (two to three hours): every call of a run goes wrong in every way, once each;
                --only PATTERN repeats the cases whose id contains it, --faults --help shows the other options
  --conformance aws
                instead of all that every fact about AWS that this project relies on is asked of AWS itself, in your
                account: it costs a little, and is confirmed first; --conformance --help shows the options
  --help        this text

It ends with the CPU seconds of each part. Exit code 0 only if everything passes. Needs python3 (3.11 or newer, with venv).
HELP
}

fast=false
instead=
if [[ ${1:-} == --faults || ${1:-} == --conformance ]]; then
    instead=${1#--}
    shift
fi
for argument in "$@"; do
    [[ $instead ]] && break  # they are its own
    case $argument in
        --fast) fast=true ;;
        --help | -h) usage && exit 0 ;;
        *) echo "test.sh: unknown argument: $argument (see --help)" >&2 && exit 2 ;;
    esac
done

started=$SECONDS
logs=$(mktemp -d)
# A child in the background dies with this script, also on Ctrl-C.
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$logs"' EXIT

# Before a part's name and a command: its CPU seconds, with those of everything that it starts, are kept for the end.
readonly COUNTED=("$DEV/python" -m tooling.cpu_time "$logs/cpu")

say() {
    printf '\n== %s (%d s)\n' "$1" $((SECONDS - started))
}

set_up() {
    local python
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            "$python" -m tooling.cpu_time "$logs/cpu" "setting up" "$python" -c \
                'from tooling.environments import ensure; ensure(("dev", "cloud", "sam", "aws", "node", "operator", "checkov"), print)'
            break
        fi
    done
    [[ -x $DEV/python ]] || { echo "test.sh: no Python 3.11 or newer with venv found; install one" >&2; exit 1; }
    mkdir -p .local/node
    if ! cmp -s requirements/node/package-lock.json .local/node/.complete; then
        cp requirements/node/package.json requirements/node/package-lock.json .local/node/
        PATH=$ENVIRONMENTS/node/bin:$PATH "${COUNTED[@]}" "setting up" npm ci --silent --no-audit --no-fund --prefix .local/node
        cp requirements/node/package-lock.json .local/node/.complete
    fi
}

check() {
    local name=$1
    shift
    if "${COUNTED[@]}" checks "$@" >"$logs/check" 2>&1; then
        echo "ok      $name"
    else
        echo "FAILED  $name"
        cat "$logs/check"
        return 1
    fi
}

checks() {
    local failed=0
    check "ruff check" "$DEV/ruff" check . || failed=1
    check "ruff format" "$DEV/ruff" format --check . || failed=1
    check "asl-validator" env PATH="$ENVIRONMENTS/node/bin:$PATH" \
        .local/node/node_modules/.bin/asl-validator "${MACHINES[@]/#/--json-path=}" || failed=1
    check "shellcheck" "$DEV/shellcheck" "${SCRIPTS[@]}" || failed=1
    # Its W3037 knows every action of IAM; a warning fails as well.
    check "cfn-lint" "$DEV/cfn-lint" "${TEMPLATES[@]}" || failed=1
    check "checkov" env LOG_LEVEL=ERROR "$ENVIRONMENTS/checkov/bin/checkov" --file "${TEMPLATES[@]}" || failed=1
    check "sam validate --lint" env SAM_CLI_TELEMETRY=0 \
        "$ENVIRONMENTS/sam/bin/python" -m deployment.sam_validate us-west-2 "${TEMPLATES[@]}" || failed=1
    check "mypy --strict" "$DEV/mypy" "${PRODUCT[@]}" local_cloud benchmarks tests || failed=1
    return $failed
}

say "Setting up"
set_up

if [[ $instead ]]; then
    say "$instead"
    "$DEV/python" -m "tests.$instead" "$@"
    exit
fi

# Before a part's name and a command: that part, its output kept for the end. For a lane, which ends with this script.
part() {
    local name=$1
    shift
    "${COUNTED[@]}" "$name" "$@" >"$logs/$name" 2>&1 &
    wait $!
}

# Three lanes of about the same length keep both processors at work to the end, as each of them waits now and then.
checks_and_deployment() {
    local failed=0
    trap 'kill $(jobs -p) 2>/dev/null || true; exit 1' TERM
    checks >"$logs/checks" 2>&1 || failed=1
    $fast || part deployment "$DEV/python" -m pytest -q tests/deployment || failed=1
    return $failed
}

integration_and_local_cloud() {
    local failed=0
    trap 'kill $(jobs -p) 2>/dev/null || true; exit 1' TERM
    part integration "$DEV/python" -m pytest -q tests/integration || failed=1
    part "local cloud" "$DEV/python" -m pytest -q -n 2 --dist loadfile tests/local_cloud tests/conformance tests/browser || failed=1
    return $failed
}

lanes=()
if $fast; then
    say "Checks, in the background; unit tests and conventions"
else
    say "Integration and local cloud, checks and deployment, in the background; unit tests and conventions"
    integration_and_local_cloud &
    lanes+=($!)
fi
checks_and_deployment &
lanes+=($!)
failed=0
# A file stays with one worker: what its tests share, database servers above all, is made once. tests/conftest.py says
# which come first, so that no worker is left with a long one alone at the end.
"${COUNTED[@]}" "unit, conventions" "$DEV/python" -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder \
    tests/unit tests/traps tests/conventions --cov --cov-report=term || failed=1
if ! $fast; then
    say "Faults"
    "${COUNTED[@]}" faults "$DEV/python" -m pytest -q tests/faults || failed=1
fi
for lane in "${lanes[@]}"; do
    wait "$lane" || failed=1
done
for name in checks deployment integration "local cloud"; do
    if [[ -f $logs/$name ]]; then
        say "$name"
        cat "$logs/$name"
    fi
done

say "CPU seconds, user and system, of every process"
"$DEV/python" -m tooling.cpu_time --report "$logs/cpu"

if ((failed)); then
    say "FAILED"
else
    say "All passed"
fi
exit $failed
