//! The one comment of a topic: found by its marker and our own login, brought up to date in place, newer wins,
//! duplicates of runs that raced are healed.

use std::cmp::Reverse;

use serde::Deserialize;
use serde_json::json;
use tagship_domain::CommitId;
use tagship_ports::{
    PortError, Problem,
    forge::{Comment, CommentOutcome},
};

use crate::{
    GitHub,
    call::Call,
    error::{CallError, Reason},
    marker::{Marker, mark, sum, unmark},
};

/// Longest text of a comment or issue, in characters, as the host counts.
pub(crate) const LONGEST: usize = 65_536;
/// How often the comments are looked through before another run is given the last word.
const ROUNDS: usize = 4;
const NEEDS: &str = "pull-requests: write";

/// Who wrote something.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Author {
    pub(crate) login: String,
}

/// A comment as the host has it.
#[derive(Debug, Clone, Deserialize)]
struct Posted {
    id: u64,
    #[serde(default)]
    body: Option<String>,
    user: Option<Author>,
}

/// A comment of ours on the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Own {
    id: u64,
    /// The whole text as posted.
    text: String,
    written: Marker,
    /// The text without the marker.
    body: String,
}

/// What there is to do.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Create,
    Update { id: u64, text: String },
    Delete(u64),
    Nothing,
}

impl GitHub {
    pub(crate) async fn upsert_comment(&self, comment: &Comment) -> Result<CommentOutcome, PortError> {
        let about = format!("bring the comment of pull request {} up to date", comment.pull_request);
        let written = Marker {
            written: comment.written,
            about: comment.about.clone(),
            run: self.client.settings.run_url.clone(),
            sum: Some(sum(&comment.body)),
        };
        let text = mark(&comment.topic, &written, &comment.body);
        let length = text.chars().count();
        if length > LONGEST {
            let message = format!("it has {length} characters, at most {LONGEST}");
            return Err(PortError::new(Problem::Invalid, about, message));
        }
        let mut outcome = None;
        for _ in 0..ROUNDS {
            let own = self.own_comments(comment.pull_request, &comment.topic, &about).await?;
            let (step, seen) = plan(&own, comment, &text);
            // The first look says what became of the comment; the later ones only tidy up.
            let outcome = *outcome.get_or_insert(seen);
            match step {
                Step::Nothing => return Ok(outcome),
                Step::Create => self.post(comment, &text, &about).await?,
                Step::Update { id, text } => {
                    let path = self.client.repo(&["issues", "comments", &id.to_string()]);
                    let call = Call::update(&about, path, json!({ "body": text })).needs(NEEDS);
                    match self.client.send(&call).await {
                        // Alone and up to date: no second look is needed.
                        Ok(_) if own.len() == 1 => return Ok(outcome),
                        // Someone removed it in between: the next round sees that.
                        Err(error) if error.reason != Reason::Missing => return Err(error.into()),
                        _ => {}
                    }
                }
                Step::Delete(id) => {
                    let path = self.client.repo(&["issues", "comments", &id.to_string()]);
                    match self.client.send(&Call::delete(&about, path).needs(NEEDS)).await {
                        Err(error) if error.reason != Reason::Missing => return Err(error.into()),
                        _ => {}
                    }
                }
            }
        }
        // Others write at the same time; whoever looks last tidies up.
        Ok(outcome.unwrap_or(CommentOutcome::Updated))
    }

    /// The commit that our newest comment of a topic shows.
    pub(crate) async fn shown_commit(&self, number: u64, topic: &str) -> Result<Option<CommitId>, PortError> {
        let about = format!("read the status comment of pull request {number}");
        let own = self.own_comments(number, topic, &about).await?;
        let newest = own.into_iter().max_by_key(|there| there.written.written);
        Ok(newest.and_then(|there| there.written.about))
    }

    /// Posts the comment, once. Where the answer got lost it is looked for before it is posted again.
    async fn post(&self, comment: &Comment, text: &str, about: &str) -> Result<(), CallError> {
        let path = self.client.repo(&["issues", &comment.pull_request.to_string(), "comments"]);
        let call = Call::create(about, path, json!({ "body": text })).needs(NEEDS);
        let find = || async {
            let own = self.own_comments(comment.pull_request, &comment.topic, about).await?;
            let posted = own.into_iter().find(|there| there.text.trim_end() == text.trim_end());
            Ok(posted.map(|there| Posted { id: there.id, body: Some(there.text), user: None }))
        };
        self.client.create::<Posted, _, _>(&call, find).await.map(|_| ())
    }

    /// Our comments on the topic, the oldest first.
    async fn own_comments(&self, number: u64, topic: &str, about: &str) -> Result<Vec<Own>, CallError> {
        let login = self.login().await?;
        let path = self.client.repo(&["issues", &number.to_string(), "comments"]);
        let posted: Vec<Posted> = self.client.list(Call::get(about, path).needs(NEEDS), None).await?;
        let mut own: Vec<Own> = posted
            .into_iter()
            .filter(|posted| posted.user.as_ref().is_some_and(|user| user.login == login))
            .filter_map(|posted| {
                let text = posted.body.unwrap_or_default();
                let (written, body) = unmark(topic, &text)?;
                Some(Own { id: posted.id, text, written, body })
            })
            .collect();
        own.sort_by_key(|own| own.id);
        Ok(own)
    }
}

impl Own {
    /// Whether a person has changed its text since we wrote it, or may have: older programs left no checksum.
    fn is_edited(&self) -> bool {
        self.written.sum.as_ref().is_none_or(|written| *written != sum(&self.body))
    }
}

/// The next step towards one comment that says the newest there is, and what becomes of ours.
fn plan(own: &[Own], wanted: &Comment, text: &str) -> (Step, CommentOutcome) {
    if wanted.only_refreshes && own.is_empty() {
        return (Step::Nothing, CommentOutcome::NoneThere);
    }
    if wanted.only_refreshes && own.iter().any(Own::is_edited) {
        return (Step::Nothing, CommentOutcome::Edited);
    }
    // Of equally new ones the first was there first.
    let Some(newest) = own.iter().min_by_key(|there| (Reverse(there.written.written), there.id)) else {
        return (Step::Create, CommentOutcome::Created);
    };
    let same = |a: &str, b: &str| a.trim_end() == b.replace("\r\n", "\n").trim_end();
    let (outcome, text) = if newest.written.written > wanted.written {
        (CommentOutcome::NewerThere, newest.text.as_str())
    } else if same(&newest.body, &wanted.body) {
        // The same body of a later time is written too, so that nothing older than it replaces it.
        let kept = newest.written.written == wanted.written;
        (CommentOutcome::Unchanged, if kept { newest.text.as_str() } else { text })
    } else {
        (CommentOutcome::Updated, text)
    };
    let kept = &own[0];
    if !same(&kept.text.replace("\r\n", "\n"), text) {
        return (Step::Update { id: kept.id, text: text.to_owned() }, outcome);
    }
    // From the last one, so that two runs that tidy up at once keep the same one.
    match own {
        [] | [_] => (Step::Nothing, outcome),
        [.., last] => (Step::Delete(last.id), outcome),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        CommentOutcome::{Created, Edited, NewerThere, NoneThere, Unchanged, Updated},
        *,
    };

    fn at(second: i64) -> Marker {
        let written = tagship_domain::Timestamp::from_seconds(second).unwrap();
        Marker { written, about: None, run: None, sum: None }
    }

    fn own(id: u64, second: i64, body: &str) -> Own {
        Own { id, text: mark("status", &at(second), body), written: at(second), body: body.to_owned() }
    }

    fn planned(own: &[Own], second: i64, body: &str) -> (Step, CommentOutcome) {
        let wanted = Comment {
            pull_request: 7,
            topic: "status".to_owned(),
            about: None,
            written: at(second).written,
            body: body.to_owned(),
            only_refreshes: false,
        };
        plan(own, &wanted, &mark("status", &at(second), body))
    }

    #[test]
    fn the_newest_text_ends_in_the_oldest_comment() {
        let update = |id, second, body: &str| Step::Update { id, text: mark("status", &at(second), body) };
        for (own, expected) in [
            (vec![], (Step::Create, Created)),
            (vec![own(1, 5, "old")], (update(1, 10, "ten"), Updated)),
            (vec![own(1, 10, "ten")], (Step::Nothing, Unchanged)),
            (vec![own(1, 9, "ten")], (update(1, 10, "ten"), Unchanged)),
            (vec![own(1, 11, "new")], (Step::Nothing, NewerThere)),
            (vec![own(1, 5, "old"), own(2, 11, "new")], (update(1, 11, "new"), NewerThere)),
            (vec![own(1, 11, "new"), own(2, 11, "new")], (Step::Delete(2), NewerThere)),
            (vec![own(1, 5, "a"), own(2, 6, "b"), own(3, 7, "c")], (update(1, 10, "ten"), Updated)),
            (vec![own(1, 10, "ten"), own(2, 6, "b"), own(3, 7, "c")], (Step::Delete(3), Unchanged)),
        ] {
            assert_eq!(planned(&own, 10, "ten"), expected, "{own:?}");
        }
    }

    #[test]
    fn what_a_person_changed_is_not_brought_up_to_date() {
        let ours = |text: &str| Own {
            written: Marker { sum: Some(sum("five\nlines\n")), ..at(5) },
            ..own(1, 5, text)
        };
        let wanted = Comment {
            pull_request: 7,
            topic: "status".to_owned(),
            about: None,
            written: at(10).written,
            body: "ten".to_owned(),
            only_refreshes: true,
        };
        for (own, expected) in [
            (vec![ours("five\nlines\n")], Updated),
            (vec![ours("five\r\nlines")], Updated),
            (vec![ours("five\nlines, and a word of mine")], Edited),
            (vec![own(1, 5, "of an older program")], Edited),
            (vec![], NoneThere),
        ] {
            assert_eq!(plan(&own, &wanted, "ten").1, expected, "{own:?}");
        }
    }
}
