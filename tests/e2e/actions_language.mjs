// The official parser of GitHub's workflow and action files.
//
// usage: node BUNDLE FILE...; a file named action.yml is an action, every other one a workflow.

import {readFileSync} from "node:fs";
import {basename} from "node:path";

import {validate} from "@actions/languageservice";
import {TextDocument} from "vscode-languageserver-textdocument";

import {validateAction} from "./node_modules/@actions/languageservice/dist/validate-action.js";

async function main(paths) {
  let problems = 0;
  for (const path of paths) {
    const document = TextDocument.create(`file:///${path}`, "yaml", 1, readFileSync(path, "utf8"));
    const judge = /^action\.ya?ml$/.test(basename(path)) ? validateAction : validate;
    for (const {message, range} of await judge(document, {})) {
      console.log(`${path}:${range.start.line + 1}:${range.start.character + 1}: ${message}`);
      problems += 1;
    }
  }
  process.exitCode = problems ? 1 : 0;
}

main(process.argv.slice(2));
