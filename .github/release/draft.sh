#!/usr/bin/env bash
# A draft release of a tag with its files, each read back and compared. What is there already stays.
#
# usage: draft.sh TAG FILE...
set -euo pipefail
# shellcheck source=.github/release/api.sh
. "$(dirname "$0")/api.sh"
tag=$1
shift

release=$(release_of "$tag")
if [ -z "$release" ]; then
  release=$(jq --null-input --arg tag "$tag" '{ tag_name: $tag, name: $tag, draft: true, generate_release_notes: true }' \
    | api POST /releases --json @-)
fi
if [ "$(jq .draft <<< "$release")" = false ]; then
  echo "$tag is published already"
fi
id=$(jq .id <<< "$release")
upload=$(jq --raw-output '.upload_url | sub("\\{.*"; "")' <<< "$release")

digest() { api GET "/releases/$id/assets?per_page=100" | jq --raw-output --arg name "$1" '.[] | select(.name == $name) | .digest'; }

for file in "$@"; do
  name=$(basename "$file")
  wanted=sha256:$(sha256sum < "$file" | cut -d ' ' -f 1)
  found=$(digest "$name")
  if [ -z "$found" ]; then
    api POST "$upload?name=$name" --header 'content-type: application/octet-stream' --data-binary "@$file" > /dev/null
    found=$(digest "$name")
  fi
  if [ "$found" != "$wanted" ]; then
    echo "$name of $tag has $found, not $wanted; remove the draft and run again" >&2
    exit 1
  fi
  echo "$name $found"
done
