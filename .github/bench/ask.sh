#!/usr/bin/env bash
# Answers `/bench` in a comment: runs the workflow `bench` of the pull request's newest commit once more. That run is one of
# `pull_request`, so it has no secrets and cannot write, whoever's code it runs. This script runs no code of the pull request.
#
#   NUMBER     the number of the pull request
#   COMMENT    the number of the comment
set -euo pipefail

say() {
    gh api --silent --method POST "repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments" --field "body=$1"
}
case "$NUMBER$COMMENT" in
*[!0-9]* | '')
    echo "NUMBER and COMMENT must be numbers" >&2
    exit 2
    ;;
esac
head=$(gh api "repos/$GITHUB_REPOSITORY/pulls/$NUMBER" --jq .head.sha)
runs="repos/$GITHUB_REPOSITORY/actions/workflows/bench.yml/runs?event=pull_request&head_sha=$head"
run=$(gh api "$runs" --jq '.workflow_runs[0].id // empty')
if [ -z "$run" ]; then
    say "There is no run of the workflow \`bench\` for $head yet. If it waits for approval, approve it, and ask again."
    exit 3
fi
gh api --silent --method POST "repos/$GITHUB_REPOSITORY/actions/runs/$run/rerun"
gh api --silent --method POST "repos/$GITHUB_REPOSITORY/issues/comments/$COMMENT/reactions" --field content=eyes
