//! `tagship release`.

use std::{fs::Metadata, path::Path};

use serde_json::{Map, Value};
use tagship_config::{BumpRule, ModelConfig, yaml};
use tagship_domain::{
    Exit, FileEntry, ModelName, Release,
    front_matter::split_front_matter,
    gate::GateReport,
    release::Evidence,
    report::{NextVersion, Section},
    validation::ValidationReport,
};
use tagship_ports::ArtifactStore;
use tagship_registry::Number;
use tagship_release::{Draft, Made, Preview, PreviewRequest, Readme, ReleaseMaker, SourceFile, preview};
use tagship_report::terminal;
use tagship_runner::{Failure, args::ReleaseArgs, files};

use crate::{
    answer::Answer,
    failure::failed,
    pipeline::json_sentence,
    signatures::signing_key,
    sources::{artifact_path, taken},
    state::{artifact_files, head},
    summary,
    workspace::Workspace,
};

/// Name of the page beside a model that people read.
const README: &str = "README.md";
/// Most bytes of it.
const README_SIZE: u64 = 1 << 20;

pub(crate) async fn run(args: &ReleaseArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let (name, model) = workspace.model()?;
    let validation: Option<ValidationReport> = workspace.handover.get(Some(name), None)?;
    let gate: Option<GateReport> = workspace.handover.get(Some(name), args.input.as_deref())?;
    let (Some(validation), Some(gate)) = (validation, gate) else {
        return Err(Failure::new(
            Exit::Incomplete,
            "not-judged",
            format!("release {name}: nothing was validated and gated"),
        )
        .hint("run `tagship validate` and `tagship gate` first, in the same job"));
    };
    let mut draft = draft(workspace, name, model, validation, gate).await?;
    if let Some(version) = &args.version {
        draft.number = Some(Number::Exactly(version.clone()));
    }
    if args.dry_run {
        return dry_run(workspace, &draft, model).await;
    }
    let made = make(workspace, model, &draft).await?;
    let section = Section {
        validation: Some(draft.validation),
        gate: Some(draft.gate),
        release: Some(made.release.clone()),
        ..Section::of(name.clone(), None)
    };
    Ok(summary::show(answer(&made, workspace), &workspace.context, vec![section]))
}

/// Releases a configured model's artifact from the checkout.
pub(crate) async fn release_model(
    workspace: &Workspace,
    name: &ModelName,
    model: &ModelConfig,
    validation: ValidationReport,
    gate: GateReport,
) -> Result<Made, Failure> {
    let draft = draft(workspace, name, model, validation, gate).await?;
    make(workspace, model, &draft).await
}

async fn make(workspace: &Workspace, model: &ModelConfig, draft: &Draft) -> Result<Made, Failure> {
    let store = workspace.store(model)?;
    let total = draft.files.iter().map(|file| file.entry.size).sum();
    let _shown = workspace.transfers.show(&format!("store {}", draft.model), total);
    let key = signing_key(model)?;
    let maker = ReleaseMaker { signing: key.as_ref(), ..maker(workspace, store.as_ref()) };
    maker.make(draft).await.map_err(failed)
}

/// Shows a release on the forge that an earlier run made, and perhaps did not live to show.
pub(crate) async fn show_again(
    workspace: &Workspace,
    model: &ModelConfig,
    release: &Release,
) -> Result<(), Failure> {
    let (store, registry) = (workspace.store(model)?, workspace.registry().await?);
    maker(workspace, store.as_ref()).show_again(&registry, release).await.map_err(failed)
}

fn maker<'a>(workspace: &'a Workspace, store: &'a dyn ArtifactStore) -> ReleaseMaker<'a> {
    let host = &workspace.host;
    ReleaseMaker {
        repo: host.repo.as_ref(),
        store,
        journals: host.journals.as_ref(),
        forge: host.forge.as_ref(),
        clock: workspace.clock.as_ref(),
        signing: None,
    }
}

async fn draft(
    workspace: &Workspace,
    name: &ModelName,
    model: &ModelConfig,
    validation: ValidationReport,
    gate: GateReport,
) -> Result<Draft, Failure> {
    let artifact = artifact_path(workspace, name, model)?;
    let origin = match model.artifact.elsewhere() {
        None => None,
        Some(address) => taken(workspace, name, address)?.map(|taken| taken.origin),
    };
    let single_file = artifact.is_file();
    let files = match judged_file(&artifact, &validation) {
        Some(file) => vec![file],
        None => artifact_files(workspace, name, model)?.1,
    };
    let source = |entry: FileEntry| {
        let path = if single_file { artifact.clone() } else { artifact.join(&entry.path) };
        SourceFile { path, entry }
    };
    Ok(Draft {
        model: name.clone(),
        artifact: model.artifact.in_repository().map(|path| path.as_str().to_owned()),
        origin,
        files: files.into_iter().map(source).collect(),
        single_file,
        readme: readme(&artifact, single_file)?,
        evidence: evidence(workspace, model)?,
        validation,
        gate,
        number: number(model),
        commit: head(workspace).await?,
        by: workspace.context.by.clone(),
        now: workspace.clock.now(),
        options: workspace.registry_options()?,
    })
}

/// A single file by the digest that it was judged with. It is not read for that: no store keeps it without comparing every byte,
/// and where a store has these bytes already, they are what is released. Absent for a directory, and where the file has another
/// size now.
fn judged_file(artifact: &Path, validation: &ValidationReport) -> Option<FileEntry> {
    let metadata = artifact.symlink_metadata().ok().filter(Metadata::is_file)?;
    let [judged] = validation.artifacts.as_slice() else { return None };
    let path = artifact.file_name()?.to_str()?.to_owned();
    let sha256 = judged.sha256.clone().filter(|_| judged.size == metadata.len())?;
    Some(FileEntry { path, size: judged.size, sha256 })
}

/// The README in the directory of the artifact, read as data where it has front matter. It is text of the author: one that
/// says nothing sensible is an error, for a card without its licence would be believed.
fn readme(artifact: &Path, single_file: bool) -> Result<Readme, Failure> {
    let directory = if single_file { artifact.parent().unwrap_or(artifact) } else { artifact };
    let path = directory.join(README);
    if !path.is_file() {
        return Ok(Readme::default());
    }
    let wrong = |why: String| {
        Failure::usage(format!("read {}: {why}", path.display()))
            .hint("its front matter, between the two lines `---`, goes into the model card and the bill of materials")
    };
    let text = files::read(&path, README_SIZE).map_err(wrong)?;
    let text = String::from_utf8(text).map_err(|_binary| wrong("it is not UTF-8".to_owned()))?;
    let (front, body) = split_front_matter(&text);
    let data = match front.map(yaml::to_json).transpose().map_err(|error| wrong(error.to_string()))? {
        Some(Value::Object(data)) => data,
        None | Some(Value::Null) => Map::new(),
        Some(_) => return Err(wrong("its front matter is no mapping".to_owned())),
    };
    Ok(Readme { front: front.unwrap_or_default().to_owned(), data, body: body.to_owned() })
}

/// Files that later judgements need. One that is configured but missing was not needed by this gate either.
fn evidence(workspace: &Workspace, model: &ModelConfig) -> Result<Vec<(Evidence, SourceFile)>, Failure> {
    let golden = model.validate.golden.as_ref().map(|golden| (Evidence::Golden, golden.cases.as_str()));
    let predictions = model.reports.predictions.as_ref().map(|path| (Evidence::Predictions, path.as_str()));
    let mut files = vec![];
    for (kind, path) in golden.into_iter().chain(predictions) {
        let full = workspace.root.join(path);
        if full.is_file() {
            files.push((kind, SourceFile { entry: entry_of(&full, path)?, path: full }));
        }
    }
    Ok(files)
}

fn entry_of(path: &Path, name: &str) -> Result<FileEntry, Failure> {
    let (digest, files) = tagship_artifact::digest_path(path).map_err(Failure::incomplete)?;
    let size = files.iter().map(|file| file.size).sum();
    Ok(FileEntry { path: name.to_owned(), size, sha256: digest })
}

async fn dry_run(workspace: &Workspace, draft: &Draft, model: &ModelConfig) -> Result<Answer, Failure> {
    let Some(next) =
        preview_of(workspace, &draft.model, model, &draft.validation, draft.number.clone()).await?
    else {
        let text = "these bytes are released already".to_owned();
        return Ok(Answer::plain(Exit::Done, "dry-run", "dry-run", text.clone(), json_sentence(&text)));
    };
    let (store, registry) = (workspace.store(model)?, workspace.registry().await?);
    let maker = maker(workspace, store.as_ref());
    let planned = maker.plan(draft, next.version.clone(), &registry).await.map_err(failed)?;
    let sentence = format!("would release {}@{}: {}", draft.model, next.version, next.because);
    let signed = match &model.release.sign_key_env {
        None => "It would not be signed.".to_owned(),
        Some(variable) => format!(
            "It would be signed with the key in {variable}. Model card and bill of materials would name the signature, \
             which is not made here: these lines are missing below."
        ),
    };
    let text = format!(
        "{sentence}\n{signed}\n\nRelease note:\n\n{}\nModel card:\n\n{}\nBill of materials:\n\n{}",
        planned.note, planned.model_card, planned.bill_of_materials
    );
    let bom: Value = serde_json::from_str(&planned.bill_of_materials).map_err(Failure::incomplete)?;
    let json = serde_json::json!({
        "sentence": sentence, "version": next.version, "because": next.because, "note": planned.note,
        "model_card": planned.model_card, "bill_of_materials": bom, "sign_key_env": model.release.sign_key_env,
        "documents_lack_signature": model.release.sign_key_env.is_some(),
    });
    Ok(Answer::plain(Exit::Done, "dry-run", "dry-run", text, json.to_string()))
}

/// The version that releasing the checkout's bytes would make; absent where they are released already.
pub(crate) async fn next_version(
    workspace: &Workspace,
    name: &ModelName,
    model: &ModelConfig,
    validation: &ValidationReport,
) -> Result<Option<NextVersion>, Failure> {
    preview_of(workspace, name, model, validation, number(model)).await
}

/// The number that the configuration asks for.
fn number(model: &ModelConfig) -> Option<Number> {
    match &model.release.bump {
        BumpRule::Exactly(version) => Some(Number::Exactly(version.clone())),
        rule => rule.fixed().map(Number::Next),
    }
}

async fn preview_of(
    workspace: &Workspace,
    name: &ModelName,
    model: &ModelConfig,
    validation: &ValidationReport,
    number: Option<Number>,
) -> Result<Option<NextVersion>, Failure> {
    let (digest, files) = artifact_files(workspace, name, model)?;
    let request = PreviewRequest {
        model: name,
        commit: &head(workspace).await?,
        digest: &digest,
        signature: validation.artifacts.first().and_then(|artifact| artifact.signature.as_ref()),
        files: &files,
        number,
        now: workspace.clock.now(),
        options: workspace.registry_options()?,
    };
    let store = workspace.store(model)?;
    match preview(workspace.host.repo.as_ref(), store.as_ref(), &request).await.map_err(failed)? {
        Preview::Existing(_) => Ok(None),
        Preview::New { version, because } => Ok(Some(NextVersion { version, because })),
    }
}

fn answer(made: &Made, workspace: &Workspace) -> Answer {
    let text = terminal::release(&made.release, made.because.as_deref(), &workspace.style());
    let release = &made.release;
    let json =
        serde_json::json!({ "release": release, "new": made.new, "because": made.because }).to_string();
    let (decision, reason) =
        if made.new { ("released", "released") } else { ("existing", "already-released") };
    let mut answer = Answer::plain(Exit::Done, decision, reason, text, json.clone());
    answer.outputs = answer
        .outputs
        .with("version", release.version.to_string())
        .with("digest", release.digest.to_string())
        .with("result", json);
    answer
}
