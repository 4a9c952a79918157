#!/usr/bin/env bash
# Holds the checkout to its budgets, and to a base revision where one is named. Annotations and the job's summary are
# written by the tests themselves.
#
#   BASE        the revision to compare with, or nothing
#   ARGUMENTS   more arguments of `cargo budget check`, quoted as in a shell; the workflow's author writes them
#   RESULTS     a directory for this job's results
set -euo pipefail

mkdir -p "$RESULTS"
date +%s >"$RESULTS/began"

# A checkout of one commit does not know the merge base of the branches. Where it cannot be had, the check says so.
if [ -n "$BASE" ] && [ "$(git rev-parse --is-shallow-repository)" = true ]; then
    refs=()
    case "$BASE" in
    origin/*) refs=("+refs/heads/${BASE#origin/}:refs/remotes/$BASE") ;;
    esac
    git fetch --quiet --no-tags --unshallow origin ${refs[@]+"${refs[@]}"} ||
        echo "the history could not be fetched: check out with \`fetch-depth: 0\`"
fi

code=0
eval "cargo budget check ${BASE:+--base \"\$BASE\"} $ARGUMENTS" || code=$?
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
exit "$code"
