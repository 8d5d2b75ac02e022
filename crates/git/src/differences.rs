//! What this clone and its remote do not have in common: for whoever looks for the reason why two runs disagree.

use std::collections::BTreeMap;

use git2::Oid;
use tagship_ports::{PortError, Problem};

use crate::{error::at, program::REMOTE_LIMIT, repository::GitRepo};

/// Names of tags that a clone and its remote do not have in common, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagDifferences {
    /// In the clone alone.
    pub unpublished: Vec<String>,
    /// On the remote alone.
    pub unfetched: Vec<String>,
    /// Another tag here than there.
    pub different: Vec<String>,
}

impl GitRepo {
    /// Whether history, and perhaps tags, were left out when this clone was made.
    pub fn is_shallow(&self) -> bool {
        self.lock().is_shallow()
    }

    /// Fetches what a shallow clone left out, and every tag. A tag of this clone that differs from the remote's stays.
    ///
    /// # Errors
    /// When the remote cannot be read.
    pub async fn deepen(&self) -> Result<(), PortError> {
        let Some(remote) = self.remote() else { return Ok(()) };
        let operation = format!("fetch the whole history from {remote}");
        self.program
            .run(&operation, REMOTE_LIMIT, &["fetch", "--quiet", "--no-tags", "--unshallow", remote])
            .await?;
        self.reopen(&operation)?;
        self.fetch_all_tags().await
    }

    /// Fetches the tags of the remote that this clone has not. A tag of this clone that differs from the remote's stays, and
    /// keeps none of the others away.
    ///
    /// # Errors
    /// When the remote cannot be read.
    pub async fn fetch_all_tags(&self) -> Result<(), PortError> {
        match self.fetch_tags().await {
            Err(error) if error.problem == Problem::Conflict => Ok(()),
            fetched => fetched,
        }
    }

    /// Compares the tags of this clone with those of its remote; without a remote there is nothing to compare.
    ///
    /// # Errors
    /// When either cannot be read.
    pub async fn tag_differences(&self) -> Result<TagDifferences, PortError> {
        let Some(remote) = self.remote() else { return Ok(TagDifferences::default()) };
        let operation = format!("list the tags of {remote}");
        let listed = self
            .program
            .run(&operation, REMOTE_LIMIT, &["ls-remote", "--refs", remote, "refs/tags/*"])
            .await?;
        let there: BTreeMap<&str, &str> = listed
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .filter_map(|(id, name)| Some((name.strip_prefix("refs/tags/")?, id)))
            .collect();
        let here = self.tag_objects(&operation)?;
        let mut found = TagDifferences::default();
        for (name, id) in &here {
            match there.get(name.as_str()) {
                None => found.unpublished.push(name.clone()),
                Some(other) if **other != id.to_string() => found.different.push(name.clone()),
                Some(_) => {}
            }
        }
        found.unfetched =
            there.into_keys().filter(|name| !here.contains_key(*name)).map(str::to_owned).collect();
        Ok(found)
    }

    fn tag_objects(&self, operation: &str) -> Result<BTreeMap<String, Oid>, PortError> {
        let repository = self.lock();
        let mut objects = BTreeMap::new();
        for reference in repository.references_glob("refs/tags/*").map_err(at(operation))? {
            let reference = reference.map_err(at(operation))?;
            let name = String::from_utf8_lossy(reference.name_bytes());
            let name = name.strip_prefix("refs/tags/").unwrap_or(&name).to_owned();
            objects.extend(reference.target().map(|id| (name, id)));
        }
        Ok(objects)
    }
}
