//! The answer to a command in a comment: one sentence, and what was asked for.

use tagship_domain::{
    CommitId, Environment, ModelName,
    approval::PendingApproval,
    decision::{Action, Decision, DecisionItem},
    event::{PREFIX, USAGE},
    lock::Lock,
    overview::{Overview, PlaceOverview},
};

use super::{
    block::{Align, Block, capped},
    inline::Inline,
};
use crate::{mark::Mark, overview};

/// Longest sentence of an answer, in characters.
const SENTENCE: usize = 1_000;
/// Longest name that is shown, in characters.
const NAME: usize = 80;
/// Most rows of an answer's table.
const ROWS: usize = 50;

/// An answer to a command.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'a> {
    /// Who gave the command.
    pub author: &'a str,
    /// The commit that was acted on, so that everyone sees which it was.
    pub sha: Option<&'a CommitId>,
    /// Where the run can be looked at.
    pub run: Option<&'a str>,
    /// What is answered.
    pub answer: ReplyAnswer<'a>,
}

/// What a command is answered with.
#[derive(Debug, Clone, Copy)]
pub enum ReplyAnswer<'a> {
    /// It is not followed; why, as a sentence.
    Refused(&'a str),
    /// It is followed: what it leads to, or why it leads to nothing.
    Followed(&'a Decision),
    /// It is done, as a sentence: locks.
    Done(&'a str),
    /// It was tried and did not work; why, as a sentence.
    Failed(&'a str),
    /// How things stand.
    Status(&'a Overview),
    /// What there is to ask for.
    Help,
}

/// The answer as Markdown.
pub fn reply(reply: &Reply<'_>) -> String {
    let body = match reply.answer {
        ReplyAnswer::Refused(why) => vec![line(Mark::Failed, &format!("Not done: {why}"))],
        ReplyAnswer::Failed(why) => vec![line(Mark::Unknown, &format!("It did not work: {why}"))],
        ReplyAnswer::Done(what) => vec![line(Mark::Passed, what)],
        ReplyAnswer::Followed(decision) => followed(decision),
        ReplyAnswer::Status(overview) => status(overview),
        ReplyAnswer::Help => help(),
    };
    Block::stack(&body.into_iter().chain([footer(reply)]).collect::<Vec<_>>()).into_string()
}

fn line(mark: Mark, sentence: &str) -> Block {
    Block::paragraph(
        &Inline::fixed(mark.emoji()).and(Inline::fixed(" ")).and(Inline::prose(sentence, SENTENCE)),
    )
}

fn followed(decision: &Decision) -> Vec<Block> {
    let mark = |action| if action == Action::Skip { Mark::Neutral } else { Mark::Running };
    let head = line(mark(decision.action), &decision.sentence);
    if decision.items.len() < 2 {
        return vec![head];
    }
    let row = |item: &DecisionItem| {
        vec![
            Inline::fixed(mark(item.action).emoji()),
            name(&item.model),
            item.environment.as_ref().map(place).unwrap_or_default(),
            Inline::prose(&item.sentence, SENTENCE),
        ]
    };
    let head_row = [
        (Inline::default(), Align::Centre),
        (Inline::fixed("model"), Align::Left),
        (Inline::fixed("environment"), Align::Left),
        (Inline::fixed("what"), Align::Left),
    ];
    let rows = decision.items.iter().map(row).collect();
    vec![head, Block::table(&head_row, &capped(rows, ROWS))]
}

fn status(overview: &Overview) -> Vec<Block> {
    let row = |held: &PlaceOverview| {
        vec![
            name(&held.model),
            place(&held.environment),
            held.current
                .as_ref()
                .map(|held| Inline::text(&held.version.to_string(), NAME))
                .unwrap_or_default(),
            held.since.map(|since| Inline::text(&since.readable(), NAME)).unwrap_or_default(),
            Inline::prose(&overview::rollout(held), SENTENCE),
        ]
    };
    let head =
        ["model", "environment", "holds", "since", "rollout"].map(|word| (Inline::fixed(word), Align::Left));
    let rows: Vec<Vec<Inline>> = overview.places.iter().map(row).collect();
    let table = if rows.is_empty() {
        line(Mark::Neutral, "no environment is configured")
    } else {
        Block::table(&head, &capped(rows, ROWS))
    };
    let locks = overview.locks.iter().map(Lock::sentence);
    let waiting = locks.chain(overview.approvals.iter().map(PendingApproval::sentence));
    let unknown = overview.approvals_unknown.iter().map(|why| line(Mark::Unknown, why));
    std::iter::once(table)
        .chain(waiting.map(|sentence| line(Mark::Waiting, &sentence)))
        .chain(unknown)
        .collect()
}

fn help() -> Vec<Block> {
    let head = [(Inline::fixed("command"), Align::Left), (Inline::fixed("what it does"), Align::Left)];
    let row = |(usage, does): &(&str, &str)| {
        vec![Inline::code(&format!("{PREFIX} {usage}"), NAME), Inline::text(does, SENTENCE)]
    };
    let rows: Vec<Vec<Inline>> = USAGE.iter().map(row).collect();
    let options = Inline::fixed(
        "Add `--model NAME` or `--environment NAME` where there are several. Only the first line of a new comment counts, \
         and its author must be allowed to write to the repository.",
    );
    vec![Block::table(&head, &rows), Block::paragraph(&options)]
}

fn name(model: &ModelName) -> Inline {
    Inline::text(model.as_str(), NAME)
}

fn place(environment: &Environment) -> Inline {
    Inline::text(environment.as_str(), NAME)
}

fn footer(reply: &Reply<'_>) -> Block {
    let asked = Inline::fixed("asked by ").and(Inline::text(reply.author, NAME));
    let commit = reply.sha.map(|sha| Inline::fixed("commit ").and(Inline::code(sha.short(), NAME)));
    let run = reply.run.map(|address| Inline::link("run", address));
    let facts = [Some(asked), commit, run].into_iter().flatten();
    Block::paragraph(&Inline::join(facts, " · ").small())
}

#[cfg(test)]
mod tests {
    use tagship_domain::decision::ReasonCode;

    use super::*;

    fn answered(answer: ReplyAnswer<'_>) -> String {
        let sha = "a".repeat(40).parse().unwrap();
        reply(&Reply {
            author: "mallory|@everyone",
            sha: Some(&sha),
            run: Some("https://example.com/runs/1"),
            answer,
        })
    }

    #[test]
    fn an_answer_says_what_happened_who_asked_and_for_which_commit() {
        let text = answered(ReplyAnswer::Refused("look at `production` first"));
        assert!(text.starts_with("❌ Not done: look at `production` first\n"), "{text}");
        assert!(
            text.contains("commit `aaaaaaa`") && text.contains("[run](https://example.com/runs/1)"),
            "{text}"
        );
        assert!(answered(ReplyAnswer::Done("production is locked")).starts_with("✅ production is locked"));
    }

    #[test]
    fn foreign_text_stays_text() {
        let hostile = "x --> <!-- tagship:status {} --> @everyone [a](http://b) | ![i](http://c)";
        let text = answered(ReplyAnswer::Refused(hostile));
        for broken in ["<!--", "-->", "@everyone", "](http://b)", "| !["] {
            assert!(!text.contains(broken), "{broken}: {text}");
        }
    }

    #[test]
    fn the_help_names_every_command() {
        let text = answered(ReplyAnswer::Help);
        for (usage, _) in USAGE {
            assert!(text.contains(&format!("/tagship {usage}")), "{usage}: {text}");
        }
    }

    #[test]
    fn the_status_shows_what_is_held_and_what_is_locked() {
        let since = "2026-11-24T12:00:00Z".parse().unwrap();
        let environment = Environment::new("production").unwrap();
        let held = PlaceOverview {
            model: ModelName::new("churn").unwrap(),
            environment: environment.clone(),
            current: None,
            since: None,
            rollout: None,
        };
        let lock = Lock {
            environment,
            locked: true,
            reason: "incident | <!-- @everyone".to_owned(),
            by: tagship_domain::Provenance { actor: "alice".to_owned(), run: None },
            since,
        };
        let text = answered(ReplyAnswer::Status(&Overview {
            places: vec![held],
            locks: vec![lock],
            approvals: vec![PendingApproval {
                environment: Environment::new("production").unwrap(),
                run: "https://git.example.org/acme/shop/actions/runs/5".to_owned(),
                reviewers: vec!["@everyone".to_owned()],
            }],
            approvals_unknown: Some("add `permissions: actions: read`".to_owned()),
        }));
        assert!(text.contains("| churn | production |") && text.contains("never deployed"), "{text}");
        assert!(
            text.contains("⏳ production was locked by alice at 2026-11-24 12:00:00 UTC: incident"),
            "{text}"
        );
        assert!(text.contains("waits for approval") && text.contains("actions: read"), "{text}");
        assert!(!text.contains("<!--") && !text.contains("@everyone"), "{text}");
    }

    #[test]
    fn of_several_places_each_is_answered() {
        let item = |environment: &str, action| DecisionItem {
            model: ModelName::new("churn").unwrap(),
            environment: Environment::new(environment).ok(),
            action,
            reason_code: ReasonCode::Requested,
            sentence: format!("something about {environment}"),
            digest: None,
            version: None,
        };
        let items = vec![item("production", Action::Abort), item("staging", Action::Skip)];
        let decision = Decision {
            action: Action::Abort,
            reason_code: ReasonCode::Requested,
            sentence: "stop it".to_owned(),
            sha: "a".repeat(40).parse().unwrap(),
            pull_request: Some(7),
            items,
        };
        let text = answered(ReplyAnswer::Followed(&decision));
        assert!(text.starts_with("🔄 stop it\n"), "{text}");
        assert!(text.contains("| ⚪ | churn | staging | something about staging |"), "{text}");
    }
}
