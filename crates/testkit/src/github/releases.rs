//! Releases and their assets.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    answer::Answer,
    ask::Ask,
    shape,
    world::{World, hex},
};

pub(super) fn answer(world: &mut World, ask: &Ask, segments: &[&str]) -> Answer {
    match (ask.method.as_str(), segments) {
        ("GET", []) => Answer::page(ask, world.releases.iter().rev().cloned().collect(), None),
        ("POST", []) => draft(world, ask),
        ("PATCH", [id]) => change(world, ask, id),
        ("DELETE", ["assets", id]) => remove_asset(world, id),
        ("DELETE", [id]) => {
            let before = world.releases.len();
            world.releases.retain(|release| !shape::has_id(release, id));
            if world.releases.len() == before { Answer::not_found() } else { Answer::nothing() }
        }
        ("GET", [id, "assets"]) => {
            let Some(release) = find(world, id) else { return Answer::not_found() };
            let assets = release["assets"].as_array().cloned().unwrap_or_default();
            Answer::page(ask, assets, None)
        }
        _ => Answer::not_found(),
    }
}

fn find<'a>(world: &'a mut World, id: &str) -> Option<&'a mut Value> {
    world.releases.iter_mut().find(|release| shape::has_id(release, id))
}

fn draft(world: &mut World, ask: &Ask) -> Answer {
    let tag = ask.text("tag_name").unwrap_or_default();
    let published = |release: &Value| release["tag_name"] == tag && release["draft"] == json!(false);
    if world.releases.iter().any(published) {
        return Answer::invalid("Release", "tag_name", "already_exists", "tag_name already exists");
    }
    let mut release = shape::release(world, tag);
    shape::merge(&mut release, Some(&ask.body));
    world.releases.push(release.clone());
    Answer::created(release)
}

fn change(world: &mut World, ask: &Ask, id: &str) -> Answer {
    let (rule, immutable, time) = (world.tag_rule, world.immutable_releases, world.time());
    let head = world.refs.get("refs/heads/main").cloned().unwrap_or_default();
    let Some(release) = find(world, id) else { return Answer::not_found() };
    let publishes = release["draft"] == json!(true) && ask.body["draft"] == json!(false);
    if publishes && rule {
        let message = "Repository rule violations found: creations being restricted";
        return Answer::invalid("Release", "pre_receive", "custom", message);
    }
    shape::merge(release, Some(&ask.body));
    if publishes {
        release["published_at"] = json!(time);
        release["immutable"] = json!(immutable);
    }
    let release = release.clone();
    if publishes {
        // The host makes a bare tag where there is none.
        let tag = format!("refs/tags/{}", release["tag_name"].as_str().unwrap_or_default());
        world.refs.entry(tag).or_insert(head);
    }
    Answer::ok(release)
}

fn remove_asset(world: &mut World, id: &str) -> Answer {
    for release in &mut world.releases {
        let Some(assets) = release["assets"].as_array_mut() else { continue };
        let before = assets.len();
        assets.retain(|asset| !shape::has_id(asset, id));
        if assets.len() < before {
            return Answer::nothing();
        }
    }
    Answer::not_found()
}

/// The server of uploads.
pub(super) fn upload(world: &mut World, ask: &Ask, id: &str, media: &str) -> Answer {
    let Some(name) = ask.query("name").map(str::to_owned) else {
        return Answer::error(422, "name is missing");
    };
    let tells = world.tells_digests;
    let Some(release) = find(world, id).cloned() else { return Answer::not_found() };
    if release["immutable"] == json!(true) {
        return Answer::error(422, "Cannot upload assets to an immutable release.");
    }
    if release["assets"].as_array().into_iter().flatten().any(|asset| asset["name"] == name.as_str()) {
        return Answer::invalid("ReleaseAsset", "name", "already_exists", "name already exists");
    }
    let digest = tells.then(|| format!("sha256:{}", hex(&Sha256::digest(&ask.bytes))));
    let asset = shape::asset(world, &name, media, ask.bytes.len(), digest.as_deref());
    world.asset_bytes.insert(asset["id"].as_u64().unwrap_or_default(), ask.bytes.clone());
    if let Some(assets) = find(world, id).and_then(|release| release["assets"].as_array_mut()) {
        assets.push(asset.clone());
    }
    Answer::created(asset)
}
