//! What every repository must do.

use tagship_domain::{CommitId, Timestamp, tag::Tag};

use crate::{Problem, Repo, repo::NewTag};

/// What the repository under test holds: `first` and, on top of it, `head`; no tags; nothing uncommitted.
#[derive(Debug)]
pub struct RepoFixture {
    /// The older commit, without `path`.
    pub first: CommitId,
    /// The newer commit, which is checked out.
    pub head: CommitId,
    /// Name of the branch.
    pub branch: String,
    /// A file of `head`.
    pub path: String,
    /// Its content.
    pub content: Vec<u8>,
}

/// Revisions resolve, files are read at their commit, and a tag is created once.
pub async fn repo(repo: &dyn Repo, fixture: &RepoFixture) {
    revisions(repo, fixture).await;
    let at_head = repo.file_at(&fixture.head, &fixture.path).await;
    assert_eq!(at_head, Ok(Some(fixture.content.clone())));
    assert_eq!(repo.file_at(&fixture.first, &fixture.path).await, Ok(None), "a file that came later");
    let commit = repo.commit(&fixture.head).await.expect("the commit is there");
    assert_eq!((commit.id, commit.parents), (fixture.head.clone(), vec![fixture.first.clone()]));
    assert_eq!(repo.uncommitted("", 10).await, Ok(vec![]));
    tags(repo, fixture).await;
}

/// Two runs that create the same tag: one succeeds, the other sees the winner's tag, and others once it asks for them. Both handles reach the same
/// repository or remote, which must have no tags `churn#production#1` and `churn#production#2`.
pub async fn racing_tags(one: &dyn Repo, other: &dyn Repo, commit: &CommitId) {
    let winner = tag("churn#production#1", commit, "first\n");
    one.create_tag(&winner).await.expect("the tag is free");
    let loser = other.create_tag(&tag("churn#production#1", commit, "second\n")).await;
    let error = loser.expect_err("the tag was taken by another run");
    assert_eq!(error.problem, Problem::Conflict, "{error}");
    let seen = find(other, "churn#production#1").await.expect("the winner's tag is seen after the lost race");
    assert_eq!(seen.message.trim_end(), "first");
    one.create_tag(&tag("churn#production#2", commit, "third\n")).await.expect("the tag is free");
    other.refresh().await.expect("what was published can be read");
    assert!(find(other, "churn#production#2").await.is_some(), "a refresh brings what others published");
}

async fn revisions(repo: &dyn Repo, fixture: &RepoFixture) {
    for revision in ["HEAD", &fixture.branch, fixture.head.as_str(), &fixture.head.as_str()[..12]] {
        assert_eq!(repo.resolve(revision).await.as_ref(), Ok(&fixture.head), "{revision}");
    }
    let unknown = "0".repeat(39) + "1";
    for revision in ["no-such-branch", &unknown[..12]] {
        let error = repo.resolve(revision).await.expect_err("it names nothing");
        assert_eq!(error.problem, Problem::NotFound, "{error}");
    }
    let error = repo.commit(&unknown.parse().expect("an id")).await.expect_err("no such commit");
    assert_eq!(error.problem, Problem::NotFound, "{error}");
}

async fn tags(repo: &dyn Repo, fixture: &RepoFixture) {
    let message = "Registering artifact churn version v1.0.0\n\nTagship-Actor: ada\n";
    let new = tag("churn@v1.0.0", &fixture.first, message);
    repo.create_tag(&new).await.expect("the tag is free");
    let made = find(repo, "churn@v1.0.0").await.expect("the tag is there");
    assert_eq!(made.target.as_ref(), Some(&fixture.first));
    assert!(made.annotated, "a tag object of its own");
    assert_eq!(made.message.trim_end(), message.trim_end());
    assert_eq!(made.tagger.map(|tagger| tagger.time), Some(new.at), "with the time that was given");
    assert_eq!(repo.resolve("churn@v1.0.0").await.as_ref(), Ok(&fixture.first), "a tag is a revision");

    let again = repo.create_tag(&tag("churn@v1.0.0", &fixture.head, "other\n")).await;
    let error = again.expect_err("a tag is never moved");
    assert_eq!(error.problem, Problem::Conflict, "{error}");
    let kept = find(repo, "churn@v1.0.0").await.and_then(|tag| tag.target);
    assert_eq!(kept.as_ref(), Some(&fixture.first), "the first tag stays");
}

fn tag(name: &str, commit: &CommitId, message: &str) -> NewTag {
    let at = Timestamp::from_seconds(1_900_000_000).expect("a time in this century");
    NewTag { name: name.to_owned(), commit: commit.clone(), message: message.to_owned(), at }
}

async fn find(repo: &dyn Repo, name: &str) -> Option<Tag> {
    let tags = repo.tags().await.expect("tags can be read");
    tags.into_iter().find(|tag| tag.name == name)
}
