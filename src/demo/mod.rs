//! `tagship demo`: the whole way of a model, on this machine, with nothing but this program and git.
//!
//! The demo is an audience with a script: it starts this very program with the verbs that workflows use, looks at
//! what came of it, and says so. It knows nothing that a user could not know.

mod acts;
mod child;
mod closing;
mod directory;
mod fixtures;
mod following;
mod http;
mod inference;
mod pull_request;
mod reading;
mod repository;
mod server;
mod stage;
mod timeline;
mod traffic;

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use tagship_domain::Exit;
use tagship_runner::{Context, Failure, Screen, args::DemoArgs, told_to_stop};

use self::{
    acts::Act, child::Children, directory::Directory, inference::LiveRows, repository::Repository,
    server::Server, stage::Stage, timeline::Timeline,
};

pub(crate) async fn run(args: &DemoArgs, context: &Context) -> Result<(), Failure> {
    let stop = told_to_stop()?;
    tokio::select! {
        played = play(args, Timeline::new(Screen::of(context, false))) => played,
        () = stop => Err(Failure::new(Exit::Negative, "interrupted", "the demo was interrupted")),
    }
}

async fn play(args: &DemoArgs, timeline: Timeline) -> Result<(), Failure> {
    let started = Instant::now();
    let directory = Directory::create(args.keep.as_deref())?;
    timeline.title(
        "Tagship demo: a model from a commit to live traffic and back",
        "Real models, real git, a real model server. Nothing leaves this machine.",
    );
    let mut stage = set(directory, timeline).await?;
    for (act, number) in Act::ALL.into_iter().zip(1..) {
        stage.timeline.act(number, act.headline(), act.told());
        act.play(&mut stage).await.map_err(|failure| located(failure, number, act))?;
    }
    closing::close(stage, args.keep.is_some(), started.elapsed()).await
}

async fn set(directory: Directory, timeline: Timeline) -> Result<Stage, Failure> {
    let token = server::random_token();
    directory.write("token", token.as_bytes())?;
    let children = Children::new(&directory, &token, timeline.width())?;
    let rows = Arc::new(LiveRows::read()?);
    directory.write("request.json", format!("{}\n", rows.request(0..1)).as_bytes())?;
    let started = Instant::now();
    let repository = Repository::create(&directory, &children).await?;
    let server = Server::start(&directory, &children).await?;
    timeline.step("a bare origin, a clone, and `tagship serve`", started.elapsed());
    Ok(Stage { timeline, directory, children, repository, server, rows, answers: BTreeMap::new() })
}

/// Whatever went wrong, it means that the act did not end as told.
fn located(failure: Failure, number: usize, act: Act) -> Failure {
    let message =
        format!("act {number}, \"{}\", did not end as told:\n  {}", act.headline(), failure.message);
    Failure { hint: failure.hint, ..Failure::new(Exit::Negative, "demo-failed", message) }
}
