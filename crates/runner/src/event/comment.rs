//! Comments. Only a new one of a person that begins as a command is read further.

use tagship_domain::event::{Asked, CommentCommand, Event, PREFIX};

use super::reader::Reader;
use crate::error::Failure;

pub(super) fn comment(read: Reader<'_>) -> Result<Event, Failure> {
    if let Some(other) = read.other_activity("created")? {
        return Ok(other);
    }
    let Some(asked) = read.find("/comment/body").and_then(Asked::read) else {
        return Ok(read.irrelevant(format!("the comment does not begin with {PREFIX}")));
    };
    let Some(author) = read.find("/comment/user/login") else {
        return Ok(read.irrelevant("the author of the comment is gone"));
    };
    let is_bot = read.find("/comment/user/type") == Some("Bot")
        || author.ends_with("[bot]")
        || read.payload.pointer("/comment/performed_via_github_app").is_some_and(|app| !app.is_null());
    if is_bot {
        return Ok(read.irrelevant("the comment is a program's, whose commands are not followed"));
    }
    let on_pull_request =
        read.payload.pointer("/issue/pull_request").is_some_and(|pull_request| !pull_request.is_null());
    let written = read.text("/comment/created_at")?;
    Ok(Event::Comment(CommentCommand {
        comment: read.number("/comment/id")?,
        pull_request: if on_pull_request { Some(read.number("/issue/number")?) } else { None },
        author: author.to_owned(),
        created_at: written.parse().ok().ok_or_else(|| read.lacks("/comment/created_at", "a time"))?,
        asked,
    }))
}
