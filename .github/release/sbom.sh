#!/usr/bin/env bash
# The bill of materials of what ships: every crate of the dependency graph, as CycloneDX 1.6.
#
# usage: sbom.sh VERSION > bom.json, in the repository
set -euo pipefail

cargo metadata --locked --format-version 1 | jq --arg version "$1" '
  def purl: "pkg:cargo/\(.name)@\(.version)";
  INDEX(.packages[]; .id) as $packages
  # What is needed at run time: build scripts and tests ship nothing.
  | (INDEX(.resolve.nodes[]; .id) | map_values([.deps[] | select(any(.dep_kinds[]; .kind == null)) | .pkg])) as $needs
  | (.packages[] | select(.name == "tagship") | .id) as $root
  | { seen: {}, next: [$root] }
  | until(.next == []; .next[0] as $id | .next |= .[1:]
      | if .seen[$id] then . else .seen[$id] = true | .next += $needs[$id] end)
  | [.seen | keys[] | select(. != $root)] as $ships
  | {
      bomFormat: "CycloneDX", specVersion: "1.6", version: 1,
      metadata: { component: {
        type: "application", name: "tagship", version: $version, "bom-ref": ($packages[$root] | purl)
      } },
      components: [$ships[] | $packages[.] | {
        type: "library", name, version, "bom-ref": purl, purl: purl,
        licenses: (if .license then [{ expression: (.license | gsub("/"; " OR ")) }] else [] end)
      }],
      dependencies: [($ships + [$root])[] | . as $id
        | { ref: ($packages[$id] | purl), dependsOn: [$needs[$id][] | $packages[.] | purl] | unique }]
    }'
