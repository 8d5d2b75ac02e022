//! Shortening a journal by compare-and-swap: the GraphQL API moves a reference to what does not follow it, on the condition of
//! where it was, which the REST API does not.

use serde::Deserialize;
use serde_json::{Value, json};
use tagship_domain::CommitId;
use tagship_ports::{PortError, Problem, state_store::AppendError};

use crate::{
    GitHub,
    call::{Call, Server},
    error::CallError,
};

/// Most entries that are written again: each is a request, and the host bears some eighty in a minute.
const MOST_KEPT: usize = 50;

const LENGTH: &str = "query($owner: String!, $name: String!, $oid: GitObjectID!) { repository(owner: $owner, name: $name) \
                      { id object(oid: $oid) { ... on Commit { history { totalCount } } } } }";
const MOVE: &str = "mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }";

#[derive(Debug, Deserialize)]
struct Reply {
    #[serde(default)]
    data: Option<Value>,
    #[serde(default)]
    errors: Vec<Said>,
}

#[derive(Debug, Deserialize)]
struct Said {
    #[serde(default)]
    message: String,
    /// What kind of refusal it is, as the GraphQL API names it.
    #[serde(default, rename = "type")]
    kind: String,
}

/// Why the journal stays where it is.
fn refused(said: Option<&Said>, reference: &str, about: String) -> PortError {
    let message = said.map_or("the host does not say whether it moved", |said| &said.message);
    let error = PortError::new(Problem::Denied, about, message);
    match said.map_or("", |said| &said.kind) {
        "FORBIDDEN" | "INSUFFICIENT_SCOPES" => error.hint("the job needs `permissions: contents: write`"),
        _ => error.hint(format!(
            "see whether a rule of the repository protects {reference}; the journal is whole, and only grows"
        )),
    }
}

impl GitHub {
    /// Writes the newest entries of a journal again, the oldest of them without a parent, and moves the journal there where its
    /// tip is still the expected one. As with a clone, a host that refuses is asked again after `keep` more entries.
    pub(crate) async fn shorten_journal(
        &self,
        (journal, reference): (&str, &str),
        expected: &CommitId,
        keep: usize,
    ) -> Result<Option<CommitId>, AppendError> {
        let lost = || AppendError::Lost { journal: journal.to_owned() };
        let about = format!("shorten journal {journal}");
        if self.tip_id(reference, &about).await?.as_ref() != Some(expected) {
            return Err(lost());
        }
        let (repository, length) = self.length_of(expected, &about).await?;
        let keep = keep.max(1);
        if length <= keep.saturating_mul(2) || length % keep != 1 % keep {
            return Ok(None);
        }
        let newest = self.write_again(expected, keep.min(MOST_KEPT), &about).await?;
        let update = json!({
            "name": reference, "beforeOid": expected.as_str(), "afterOid": newest.as_str(), "force": true,
        });
        let input = json!({ "repositoryId": repository, "refUpdates": [update] });
        let moved = self.ask_graph(MOVE, &json!({ "input": input }), &about).await?;
        let done = moved
            .data
            .as_ref()
            .is_some_and(|data| data.get("updateRefs").is_some_and(|said| !said.is_null()));
        if !done || !moved.errors.is_empty() {
            // Moved on, in whatever words; or it was us, and the answer got lost.
            let there = self.reference(reference, &about).await?.map(|there| there.object.sha);
            if there.as_deref() == Some(expected.as_str()) {
                return Err(refused(moved.errors.first(), reference, about).into());
            }
            if there.as_deref() != Some(newest.as_str()) {
                return Err(lost());
            }
        }
        self.own_tips.wrote(reference, Some(expected), &newest);
        Ok(Some(newest))
    }

    /// What the host calls the repository, and how many commits a chain has.
    async fn length_of(&self, tip: &CommitId, about: &str) -> Result<(String, usize), CallError> {
        let (owner, name) = self.client.settings.repository.split_once('/').unwrap_or_default();
        let asked = json!({ "owner": owner, "name": name, "oid": tip.as_str() });
        let reply = self.ask_graph(LENGTH, &asked, about).await?;
        let found = reply.data.as_ref().and_then(|data| {
            let id = data.pointer("/repository/id")?.as_str()?;
            let length = data.pointer("/repository/object/history/totalCount")?.as_u64()?;
            Some((id.to_owned(), usize::try_from(length).ok()?))
        });
        found.ok_or_else(|| {
            let said = reply.errors.first().map_or("it does not say how long it is", |said| &said.message);
            PortError::new(Problem::Invalid, about, said).into()
        })
    }

    /// The newest commits of a chain once more, the oldest of them without a parent; no reference moves.
    async fn write_again(&self, tip: &CommitId, keep: usize, about: &str) -> Result<CommitId, CallError> {
        let (mut chain, mut next) = (vec![], Some(tip.clone()));
        while let Some(id) = next.filter(|_| chain.len() < keep) {
            let object = self.read_commit(id.as_str(), about).await?;
            next = object.commit.parents.first().cloned();
            chain.push(object);
        }
        let mut newest = tip.clone();
        let mut parent = None;
        for object in chain.into_iter().rev() {
            let (message, at) = (&object.commit.message, object.commit.committer.time);
            newest = self.write_commit(&object.tree, parent.as_ref(), message, at, about).await?;
            parent = Some(newest.clone());
        }
        Ok(newest)
    }

    /// Asks the GraphQL API; doing it twice is doing it once.
    async fn ask_graph(&self, query: &str, variables: &Value, about: &str) -> Result<Reply, CallError> {
        let body = json!({ "query": query, "variables": variables });
        self.client.fetch(&Call::object(about, String::new(), body).to(Server::Graphql)).await
    }
}
