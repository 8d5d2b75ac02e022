//! What a look at a registry says when versions are gone, and what is removed of what was fetched.

use async_trait::async_trait;
use tagship_ports::{model_registry::RegisteredVersion, target::Done};

use super::*;

/// A registry with these versions, and nothing else.
struct Registered(Vec<u64>);

#[async_trait]
impl ModelRegistry for Registered {
    fn location(&self) -> String {
        "registry:churn".to_owned()
    }

    async fn versions(&self, after: u64) -> Result<Vec<RegisteredVersion>, PortError> {
        let newer = self.0.iter().rev().filter(|number| **number > after);
        Ok(newer.map(|number| RegisteredVersion { number: *number, tags: BTreeMap::new() }).collect())
    }

    async fn aliased(&self, _: &str) -> Result<Option<u64>, PortError> {
        Ok(None)
    }

    async fn point(&self, _: &str, _: u64) -> Result<Done, PortError> {
        Ok(Done::AlreadyThere)
    }

    async fn fetch(&self, _: u64, _: &Path, _: u64) -> Result<Fetched, PortError> {
        Err(PortError::new(Problem::NotFound, "fetch", "there are no files"))
    }
}

#[tokio::test]
async fn a_registry_that_was_set_up_anew_is_no_registry_without_news() {
    let cursor: Cursor =
        serde_json::from_str(r#"{"place":"registry:churn","seen":{"production":"7"}}"#).unwrap();
    let look = async |versions: &[u64]| {
        newest(&Registered(versions.to_vec()), &Wanted::Newest, &cursor, "registry:churn").await
    };
    assert_eq!(look(&[6, 7]).await.unwrap(), Some((7, vec![])), "nothing new");
    assert_eq!(look(&[6, 7, 8]).await.unwrap(), Some((8, vec![])));
    let anew = look(&[1, 2]).await.unwrap_err();
    assert!(anew.to_string().contains("version 7 was decided about"), "{anew}");
    assert!(look(&[]).await.is_err());
}

#[test]
fn only_artifacts_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let digest = "a".repeat(64);
    for name in [digest.as_str(), ".tmpAb12", "other"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    remove_earlier(folder.path()).unwrap();
    assert!(!folder.path().join(&digest).exists());
    assert!(folder.path().join("other").exists() && folder.path().join(".tmpAb12").exists());
}
