#!/usr/bin/env bash
# Makes one verdict of the records of all parts, and the body of a comment. A part that is missing is red.
#
#   RECORDS    the directory with the records of the parts
#   NUMBER     the number of the pull request
#   RESULTS    a directory for the comment and the number
set -euo pipefail

mkdir -p "$RESULTS"
echo "$NUMBER" >"$RESULTS/pull-request"
shopt -s nullglob
records=("$RECORDS"/*.jsonl)
if [ "${#records[@]}" = 0 ]; then
    printf '<!-- perf-budget -->\nNothing was measured: no part has a record. The log of the run says why.\n' >"$RESULTS/comment.md"
    exit 3
fi
code=0
cargo budget report --format markdown --output "$RESULTS/comment.md" --merge "${records[@]}" || code=$?
[ -s "$RESULTS/comment.md" ] ||
    printf '<!-- perf-budget -->\nThe records of the parts could not be merged. The log of the run says why.\n' >"$RESULTS/comment.md"
cargo budget report --merge "${records[@]}" || true
exit "$code"
