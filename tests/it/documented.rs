//! Every command of ours that a page shows is one that the program understands.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::workbench::tagship;

/// Pages of a directory and those below it.
fn pages(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// What stands behind a prompt in a page, a line that goes on below as one.
fn shown(page: &str) -> Vec<String> {
    let mut commands: Vec<String> = vec![];
    let mut goes_on = false;
    for line in page.lines() {
        let text = match line.trim_start().strip_prefix("$ ") {
            Some(command) => {
                commands.push(String::new());
                command
            }
            None if goes_on => line.trim_start(),
            None => continue,
        };
        let part = text.strip_suffix('\\');
        goes_on = part.is_some();
        if let Some(command) = commands.last_mut() {
            command.push_str(part.unwrap_or(text));
        }
    }
    commands
}

/// The words of each program that a line starts, as a shell takes them apart.
fn programs(line: &str) -> Vec<Vec<String>> {
    let (mut all, mut words, mut word) = (vec![], vec![], None::<String>);
    let (mut quote, mut characters) = (None, line.chars().peekable());
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(end), _) if c == end => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, ' ' | '|' | '&' | ';' | '>') => {
                words.extend(word.take());
                if c == '>' {
                    // Where the answer goes is no word of the program.
                    characters.by_ref().skip_while(|c| *c == ' ').find(|c| *c == ' ');
                } else if c != ' ' {
                    all.push(std::mem::take(&mut words));
                }
            }
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    all.push(words);
    all
}

#[test]
fn every_command_on_a_page_is_understood() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md"), root.join("actions/README.md")];
    pages(&root.join("docs"), &mut files);
    let directory = tempfile::tempdir().unwrap();
    let (mut wrong, mut understood) = (vec![], 0);
    for file in files {
        for line in shown(&fs::read_to_string(&file).unwrap()) {
            for words in programs(&line) {
                let Some((name, arguments)) = words.split_first().filter(|(name, _)| *name == "tagship")
                else {
                    continue;
                };
                // A command that asks for help is read to its end, and does nothing.
                let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                let behind = arguments.iter().position(|word| *word == "--").unwrap_or(arguments.len());
                arguments.insert(behind, "--help");
                let done = tagship(directory.path(), &arguments).run();
                understood += 1;
                if done.code != 0 {
                    wrong.push(format!(
                        "{}: {name} {}\n{}",
                        file.display(),
                        arguments.join(" "),
                        done.stderr
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(understood > 30, "{understood}: pages show commands");
}

#[test]
fn a_line_is_taken_apart_as_a_shell_does() {
    let words = |line: &str| programs(line).into_iter().map(|words| words.join(",")).collect::<Vec<_>>();
    assert_eq!(words("tagship a \"b c\" 'd' # e"), ["tagship,a,b c,d"]);
    assert_eq!(
        words("tagship a > out.yml && tagship b | kubectl apply -f -"),
        ["tagship,a", "", "tagship,b", "kubectl,apply,-f,-"]
    );
    assert_eq!(
        words("tagship registry explain churn#production &"),
        ["tagship,registry,explain,churn#production", ""]
    );
    assert_eq!(shown("$ tagship a \\\n    --b\n$ c"), ["tagship a --b", "c"]);
}
