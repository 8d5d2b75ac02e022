//! Releases and their assets.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    answer::Answer,
    ask::Ask,
    shape,
    world::{World, hex},
};

/// Most assets of a release.
const MOST: usize = 1000;
/// What makes an address of the storage work.
const SIGNATURE: &str = "s3cret";

pub(super) fn answer(world: &mut World, ask: &Ask, segments: &[&str]) -> Answer {
    match (ask.method.as_str(), segments) {
        ("GET", []) => {
            let seen = world.releases.iter().rev().filter(|release| is_seen(world, release));
            Answer::page(ask, seen.cloned().collect(), None)
        }
        ("POST", []) => draft(world, ask),
        ("PATCH", [id]) => change(world, ask, id),
        ("PATCH", ["assets", id]) => change_asset(world, ask, id),
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

/// Drafts are shown to those who may write alone.
fn is_seen(world: &World, release: &Value) -> bool {
    release["draft"] != json!(true) || !world.lacks.contains("contents=write")
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
    let taken: Vec<Value> = world
        .releases
        .iter()
        .filter(|release| release["draft"] == json!(false) && !shape::has_id(release, id))
        .map(|release| release["tag_name"].clone())
        .collect();
    let Some(release) = find(world, id) else { return Answer::not_found() };
    let publishes = release["draft"] == json!(true) && ask.body["draft"] == json!(false);
    if publishes && taken.contains(ask.body.get("tag_name").unwrap_or(&release["tag_name"])) {
        return Answer::invalid("Release", "tag_name", "already_exists", "tag_name already exists");
    }
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

/// An asset, or the way to its bytes.
pub(super) fn asset(world: &World, id: &str, accept: &str) -> Answer {
    let seen = world.releases.iter().filter(|release| is_seen(world, release));
    let mut assets = seen.flat_map(|release| release["assets"].as_array().into_iter().flatten());
    let Some(asset) = assets.find(|asset| shape::has_id(asset, id)) else { return Answer::not_found() };
    if accept != "application/octet-stream" {
        return Answer::ok(asset.clone());
    }
    if world.streams_assets {
        return bytes(world, id);
    }
    elsewhere(world, id)
}

/// The way to bytes in a storage.
pub(super) fn elsewhere(world: &World, id: &str) -> Answer {
    // Another host for the client, although it is this one.
    let elsewhere = world.base.replace("127.0.0.1", "localhost").replace("/api/v3", "/storage");
    Answer::found_at(format!("{elsewhere}/{id}?signature={SIGNATURE}"))
}

/// The storage: it knows signed addresses, and refuses whoever shows it a token beside.
pub(super) fn stored(world: &World, ask: &Ask, id: &str, with_token: bool) -> Answer {
    if with_token {
        return Answer::file_with(400, b"Only one auth mechanism allowed".to_vec());
    }
    if ask.query("signature") != Some(SIGNATURE) {
        return Answer::file_with(403, b"AuthenticationFailed".to_vec());
    }
    bytes(world, id)
}

fn bytes(world: &World, id: &str) -> Answer {
    let bytes = id.parse().ok().and_then(|id: u64| world.asset_bytes.get(&id).cloned());
    bytes.map_or_else(Answer::not_found, |bytes| Answer::file_with(200, bytes))
}

fn change_asset(world: &mut World, ask: &Ask, id: &str) -> Answer {
    let release = world.releases.iter_mut().find(|release| {
        release["assets"].as_array().into_iter().flatten().any(|asset| shape::has_id(asset, id))
    });
    let Some(release) = release else { return Answer::not_found() };
    if release["immutable"] == json!(true) {
        return Answer::error(422, "Cannot update assets of an immutable release.");
    }
    let Some(assets) = release["assets"].as_array_mut() else { return Answer::not_found() };
    let taken = assets.iter().any(|asset| !shape::has_id(asset, id) && asset["name"] == ask.body["name"]);
    if taken {
        return Answer::invalid("ReleaseAsset", "name", "already_exists", "name already exists");
    }
    let Some(asset) = assets.iter_mut().find(|asset| shape::has_id(asset, id)) else {
        return Answer::not_found();
    };
    shape::merge(asset, Some(&ask.body));
    Answer::ok(asset.clone())
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
    // The host takes no empty file, and keeps plain characters only.
    if ask.bytes.is_empty() {
        return Answer::error(400, "Bad Content-Length");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name: String = name.chars().map(|c| if plain(c) { c } else { '.' }).collect();
    let name = name.trim_matches('.').to_owned();
    let tells = world.tells_digests;
    let Some(release) = find(world, id).cloned() else { return Answer::not_found() };
    if release["immutable"] == json!(true) {
        return Answer::error(422, "Cannot upload assets to an immutable release.");
    }
    if release["assets"].as_array().is_some_and(|assets| assets.len() >= MOST) {
        return Answer::invalid("ReleaseAsset", "release", "custom", "a release has at most 1000 assets");
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
