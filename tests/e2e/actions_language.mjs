// The official parser of GitHub's workflow and action files.
//
// usage: node BUNDLE REPOSITORY FILE...; a file named action.yml is an action, every other one a workflow. What workflows
// say to this repository's own actions is held against their manifests.

import {existsSync, readFileSync} from "node:fs";
import {basename, join} from "node:path";

import {validate} from "@actions/languageservice";
import {TextDocument} from "vscode-languageserver-textdocument";
import {parse} from "yaml";

import {validateAction} from "./node_modules/@actions/languageservice/dist/validate-action.js";

// Owner and name by which users call the actions.
const OWN = "tagship/tagship";

function manifests(repository) {
  return {
    async fetchActionMetadata({owner, name, path}) {
      const manifest = join(repository, path ?? "", "action.yml");
      // Of others nothing is known here, which the parser takes for "any input".
      if (`${owner}/${name}` !== OWN) return {name, description: name};
      // Nothing means that the action does not exist, which is a problem.
      return existsSync(manifest) ? parse(readFileSync(manifest, "utf8")) : undefined;
    },
  };
}

async function main(repository, paths) {
  let problems = 0;
  for (const path of paths) {
    const document = TextDocument.create(`file:///${path}`, "yaml", 1, readFileSync(path, "utf8"));
    const judge = /^action\.ya?ml$/.test(basename(path)) ? validateAction : validate;
    for (const {message, range} of await judge(document, {actionsMetadataProvider: manifests(repository)})) {
      console.log(`${path}:${range.start.line + 1}:${range.start.character + 1}: ${message}`);
      problems += 1;
    }
  }
  process.exitCode = problems ? 1 : 0;
}

main(process.argv[2], process.argv.slice(3));
