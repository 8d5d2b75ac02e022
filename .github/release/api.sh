#!/usr/bin/env bash
# Requests to the API of the repository that the environment names. Read by the other scripts.
#
# The token travels by a file descriptor: arguments of a program can be read by everyone on the machine.
set -euo pipefail

# api METHOD PATH|URL [CURL ARGUMENT...]
api() {
  local method=$1 url=$2
  shift 2
  case $url in
    http*) ;;
    *) url=$GITHUB_API_URL/repos/$GITHUB_REPOSITORY$url ;;
  esac
  curl --silent --show-error --fail-with-body --max-time 600 --retry 3 --request "$method" \
    --header @<(printf 'authorization: Bearer %s\n' "$GITHUB_TOKEN") \
    --header 'accept: application/vnd.github+json' --header 'x-github-api-version: 2022-11-28' "$@" "$url"
}

# release_of TAG: the release with this tag, drafts included; nothing where there is none
release_of() {
  api GET '/releases?per_page=100' | jq --compact-output --arg tag "$1" 'map(select(.tag_name == $tag)) | .[0] // empty'
}
