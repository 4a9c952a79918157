#!/usr/bin/env bash
# Renders what the gate measured: a page for people, the body of a comment, and the record itself. No verdict is given
# here, so whatever the budgets did, this step succeeds where it has written its files.
#
#   BASE           the revision that was compared with, or nothing
#   RESULTS        the directory for this job's results
#   PULL_REQUEST   its number, or nothing; whoever posts the comment later finds it beside the comment
set -euo pipefail

# `cargo budget report` knows where the results are, wherever cargo builds. It exits as the outcomes say, which the gate
# has said already, so only what it has written tells whether there is a run. A record of an earlier run, from a cache,
# is not this run's.
since=$(cat "$RESULTS/began")
render() {
    cargo budget report --partial --since "$since" --format "$1" --output "$RESULTS/$2" || [ -s "$RESULTS/$2" ]
}
if render jsonl outcomes.jsonl; then
    render html budgets.html
    render markdown comment.md
else
    printf '%s\n' '<!-- perf-budget -->' '### Performance budgets' '' \
        'Nothing was measured: the log of the job says why.' >"$RESULTS/comment.md"
fi

# What the change does to the limits themselves.
if [ -n "$BASE" ] && merge_base=$(git merge-base HEAD "$BASE"); then
    cargo budget diff "$merge_base" --format markdown >"$RESULTS/limits.md" || [ $? = 1 ]
    if grep -q '^|' "$RESULTS/limits.md"; then
        # GitHub refuses a comment of more than 65,536 characters.
        if [ "$(cat "$RESULTS/comment.md" "$RESULTS/limits.md" | wc -c)" -lt 65000 ]; then
            printf '\n' | cat - "$RESULTS/limits.md" >>"$RESULTS/comment.md"
        else
            printf '\n%s\n' "The change alters limits too, too many for this comment: \`cargo budget diff\` lists them." \
                >>"$RESULTS/comment.md"
        fi
    fi
    rm "$RESULTS/limits.md"
fi

rm "$RESULTS/began"
if [ -n "$PULL_REQUEST" ]; then
    printf '%s\n' "$PULL_REQUEST" >"$RESULTS/pull-request"
fi
