#!/usr/bin/env bash
# Answers `/bench` in a comment: runs the workflow `bench` of the pull request's newest commit once more. That run is one of
# `pull_request`, so it has no secrets and cannot write, whoever's code it runs. This script runs no code of the pull request.
#
#   NUMBER     the number of the pull request
#   COMMENT    the number of the comment
#   AUTHOR     who wrote it
#   BODY       its text
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

say() {
    gh api --silent --method POST "repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments" --raw-field "body=$1"
}

# Asks GitHub. What it refuses is said in a comment: $1 is what is not done then, and $2 is what to do.
ask() {
    local failed=$1 remedy=$2
    shift 2
    gh api "$@" 2>"$place/why" && return
    cat "$place/why" >&2
    # Without backticks the reason stays one piece of code.
    say "GitHub refused to $failed: \`$(tr '`\n' "' " <"$place/why" | cut -c 1-300)\`. $remedy"
    exit 3
}

case "$NUMBER$COMMENT" in
*[!0-9]* | '')
    echo "NUMBER and COMMENT must be numbers" >&2
    exit 2
    ;;
esac
case "$AUTHOR" in
*[!A-Za-z0-9_-]* | '')
    echo "AUTHOR must be the name of a person" >&2
    exit 2
    ;;
esac
read -r word _ <<<"${BODY//$'\r'/}" || true
if [ "$word" != /bench ]; then
    echo "the comment does not begin with /bench, so nothing is run"
    exit 0
fi
# A member of the organisation or a collaborator may have the right to read alone.
permission=$(ask "say what \`$AUTHOR\` may do here" "Ask again later." \
    "repos/$GITHUB_REPOSITORY/collaborators/$AUTHOR/permission" --jq .permission)
case "$permission" in
admin | maintain | write) ;;
*)
    say "\`/bench\` is for those who can push to this repository, and \`$AUTHOR\` cannot."
    exit 3
    ;;
esac
head=$(ask "show this pull request" "Ask again later." "repos/$GITHUB_REPOSITORY/pulls/$NUMBER" --jq .head.sha)
runs="repos/$GITHUB_REPOSITORY/actions/workflows/bench.yml/runs?event=pull_request&head_sha=$head"
run=$(ask "list the runs of the workflow \`bench\`" "Ask again later." "$runs" --jq '.workflow_runs[0].id // empty')
if [ -z "$run" ]; then
    say "There is no run of the workflow \`bench\` for $head yet. If it waits for approval, approve it, and ask again."
    exit 3
fi
ask "run the workflow \`bench\` of $head once more" \
    "If the run has not ended, wait for it. A run that is older than a month cannot be repeated: push a commit, and ask again." \
    --silent --method POST "repos/$GITHUB_REPOSITORY/actions/runs/$run/rerun"
# The run has begun, whether or not the comment gets its reaction.
gh api --silent --method POST "repos/$GITHUB_REPOSITORY/issues/comments/$COMMENT/reactions" --raw-field content=eyes ||
    echo "the comment got no reaction"
