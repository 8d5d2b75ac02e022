//! Prints the registry of a repository as GTO does: `show DIRECTORY [show|history] [NAME]`.
//! For comparing and timing; the `tagship registry` command is the one for people.
#![allow(clippy::print_stdout, reason = "this is what it is for")]

use std::{collections::HashMap, env, error::Error, path::Path};

use tagship_git::GitRepo;
use tagship_ports::Repo;
use tagship_registry::{CommitFacts, Model, Options, Registry, Selector, to_json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let directory = arguments.first().ok_or("usage: show DIRECTORY [show|history] [NAME]")?;
    let repo = GitRepo::discover(Path::new(directory))?;
    let registry = Registry::from_tags(repo.tags().await?, Options::default());
    let json = match (arguments.get(1).map(String::as_str), arguments.get(2)) {
        (Some("history"), Some(name)) => to_json(&registry.history_of(name)?)?,
        (Some("history"), None) => to_json(&registry.history())?,
        (_, None) => to_json(&registry.show())?,
        (_, Some(name)) => {
            let selector: Selector = name.parse()?;
            let mut commits = HashMap::new();
            let model = registry.models().find(|model| model.name() == selector.model);
            for version in model.into_iter().flat_map(Model::versions) {
                let commit = repo.commit(version.commit()).await?;
                let facts = CommitFacts {
                    author: commit.author.name,
                    author_email: commit.author.email,
                    committer: commit.committer,
                    message: commit.message,
                };
                commits.insert(commit.id, facts);
            }
            to_json(&registry.show_versions(&selector, &commits)?)?
        }
    };
    println!("{json}");
    Ok(())
}
