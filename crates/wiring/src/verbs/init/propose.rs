//! From what was found to models with their reports.

use std::{collections::BTreeMap, fmt::Write as _, iter, path::Path};

use tagship_config::{Format, RepoPath};
use tagship_domain::{Environment, ModelName};
use tagship_runner::{Failure, args::InitArgs};

use super::find::{Found, extensions, format_of};

/// Metrics of which more is better, the commonest first.
const BETTER: [&str; 8] =
    ["accuracy", "f1", "auc", "roc_auc", "balanced_accuracy", "r2", "precision", "recall"];
/// Names of files and folders that say nothing about the model.
const GENERIC: [&str; 9] =
    ["model", "models", "artifact", "artifacts", "weights", "network", "net", "estimator", "pytorch_model"];

/// What is going to be written.
#[derive(Debug)]
pub(super) struct Proposal {
    /// The models.
    pub(super) models: Vec<ProposedModel>,
    /// Where versions go.
    pub(super) environment: Environment,
    /// Addresses of the model server: inference, control.
    pub(super) server: Option<(String, String)>,
    /// What was found and not used, and what is missing.
    pub(super) notes: Vec<String>,
}

/// One model.
#[derive(Debug)]
pub(super) struct ProposedModel {
    pub(super) name: ModelName,
    pub(super) artifact: String,
    pub(super) format: Format,
    pub(super) junit: Vec<String>,
    pub(super) metrics: Option<String>,
    pub(super) predictions: Option<String>,
    pub(super) golden: Option<String>,
    /// A metric that must not get worse.
    pub(super) guarded: Option<String>,
}

/// What is proposed for what was found and what the arguments say.
///
/// # Errors
/// When there is no model, or the arguments name what is not there.
pub(super) fn propose(args: &InitArgs, root: &Path, found: &Found) -> Result<Proposal, Failure> {
    let artifacts = artifacts(args, root, found)?;
    let mut notes = vec![];
    let mut models: BTreeMap<ModelName, (String, Format)> = BTreeMap::new();
    for (path, format) in artifacts {
        let named = args.model.clone().or_else(|| name_of(&path, root));
        match named {
            Some(name) if !models.contains_key(&name) => {
                models.insert(name, (path, format));
            }
            _ => notes.push(format!("{path} is left out: its name is taken or says nothing; add it by hand")),
        }
    }
    let alone = models.len() == 1;
    let models: Vec<ProposedModel> = models
        .into_iter()
        .map(|(name, (artifact, format))| with_reports(name, artifact, format, found, alone))
        .collect();
    for model in &models {
        if model.junit.is_empty() && model.metrics.is_none() {
            notes.push(format!(
                "{}: no test report and no metrics were found; the gate has little to judge",
                model.name
            ));
        }
        if model.golden.is_none() {
            notes.push(format!(
                "{}: no golden cases were found; nothing computes the model before it serves",
                model.name
            ));
        }
    }
    let server = args.url.clone().zip(args.admin_url.clone());
    if server.is_some() && !alone {
        return Err(Failure::usage("--url: several models were found, and two models need two servers")
            .hint("choose one with --artifact"));
    }
    Ok(Proposal { models, environment: args.environment.clone(), server, notes })
}

fn artifacts(args: &InitArgs, root: &Path, found: &Found) -> Result<Vec<(String, Format)>, Failure> {
    if let Some(wanted) = &args.artifact {
        let path =
            RepoPath::new(wanted.as_str()).map_err(|error| Failure::usage(format!("--artifact: {error}")))?;
        if !root.join(&path).exists() {
            return Err(Failure::usage(format!("--artifact: {path} does not exist in {}", root.display())));
        }
        let inside = found.models.iter().find(|(file, _)| file.starts_with(&format!("{path}/")));
        let format = format_of(path.as_str()).or(inside.map(|(_, format)| *format));
        let format = format.ok_or_else(|| {
            Failure::usage(format!("--artifact: {path} has no known extension"))
                .hint(format!("known are {}, and folders with saved_model.pb", extensions()))
        })?;
        return Ok(vec![(path.to_string(), format)]);
    }
    let mut artifacts: Vec<(String, Format)> = vec![];
    for (path, format) in &found.models {
        let is_part = is_shard(path) || (*format == Format::TfSavedModel && path.contains('/'));
        let artifact = if is_part { directory(path) } else { path };
        if !artifacts.iter().any(|(there, _)| there == artifact) {
            artifacts.push((artifact.to_owned(), *format));
        }
    }
    if artifacts.is_empty() {
        return Err(Failure::usage(format!(
            "find a model: no file with an extension of one ({}), no saved_model.pb and no boosted trees lie here",
            extensions()
        ))
        .hint("pass --artifact PATH, or check out what is kept elsewhere (git lfs pull, dvc pull)"));
    }
    if args.model.is_some() && artifacts.len() > 1 {
        let paths: Vec<&str> = artifacts.iter().map(|(path, _)| path.as_str()).collect();
        return Err(Failure::usage("--model: several models were found")
            .hint(format!("choose one with --artifact: {}", paths.join(", "))));
    }
    Ok(artifacts)
}

/// `model-00001-of-00003.safetensors` is a piece; the model is its directory.
fn is_shard(path: &str) -> bool {
    let stem = path.rsplit('/').next().unwrap_or(path).rsplit_once('.').map_or("", |(stem, _)| stem);
    let pieces: Vec<&str> = stem.rsplitn(4, '-').collect();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    path.contains('/') && pieces.len() == 4 && digits(pieces[0]) && pieces[1] == "of" && digits(pieces[2])
}

fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// `models/churn/model.onnx`, `models/churn.onnx` and `models/model.onnx` in a repository `churn` are `churn`.
fn name_of(path: &str, root: &Path) -> Option<ModelName> {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let repository = root.file_name().map(|name| name.to_string_lossy());
    let folders = directory(path).rsplit('/').chain(repository.as_deref());
    let mut names = iter::once(stem).chain(folders);
    let telling =
        names.find(|name| !name.is_empty() && !GENERIC.contains(&name.to_ascii_lowercase().as_str()));
    let name = telling.unwrap_or(stem);
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    ModelName::new(plain.trim_matches(['-', '_'])).ok()
}

/// The reports beside the model; where it is the only one, those elsewhere too.
fn with_reports(
    name: ModelName,
    artifact: String,
    format: Format,
    found: &Found,
    alone: bool,
) -> ProposedModel {
    let home = if found.models.iter().any(|(file, _)| *file == artifact) {
        directory(&artifact)
    } else {
        artifact.as_str()
    }
    .to_owned();
    let near = |path: &str| !home.is_empty() && path.starts_with(&format!("{home}/"));
    let named = |path: &str| path.split(['/', '.', '-']).any(|part| part == name.as_str());
    let own = |path: &&str| alone || near(path) || named(path);
    // Of several the one that lies nearest.
    let best = |paths: &mut dyn Iterator<Item = &str>| {
        paths.filter(|path| own(path)).max_by_key(|path| (near(path), named(path))).map(str::to_owned)
    };
    let metrics = best(&mut found.metrics.iter().map(|(path, _)| path.as_str()));
    let numbers =
        found.metrics.iter().find(|(path, _)| Some(path) == metrics.as_ref()).map(|(_, numbers)| numbers);
    let guarded = numbers.and_then(|numbers| BETTER.iter().find(|name| numbers.iter().any(|n| n == *name)));
    ProposedModel {
        junit: patterns(found.junit.iter().map(String::as_str).filter(own)),
        predictions: best(&mut found.predictions.iter().map(String::as_str)),
        golden: best(&mut found.golden.iter().map(String::as_str)),
        guarded: guarded.map(|name| (*name).to_owned()),
        metrics,
        name,
        artifact,
        format,
    }
}

/// A pattern for each directory with several reports.
fn patterns<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut by_directory: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in paths {
        by_directory.entry(directory(path)).or_default().push(path);
    }
    let pattern = |(directory, paths): (&str, Vec<&str>)| match paths.as_slice() {
        [only] => (*only).to_owned(),
        _ if directory.is_empty() => "*.xml".to_owned(),
        _ => format!("{directory}/*.xml"),
    };
    by_directory.into_iter().map(pattern).collect()
}

impl Proposal {
    /// What was found, for people.
    pub(super) fn told(&self) -> String {
        let mut text = String::new();
        for model in &self.models {
            let _ = writeln!(text, "model {}: {} ({})", model.name, model.artifact, model.format);
            let reports = [
                ("tests", (!model.junit.is_empty()).then(|| model.junit.join(", "))),
                ("metrics", model.metrics.clone()),
                ("predictions", model.predictions.clone()),
                ("golden cases", model.golden.clone()),
            ];
            for (what, path) in reports {
                text.push_str(&path.map(|path| format!("  {what}: {path}\n")).unwrap_or_default());
            }
        }
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_called_by_what_tells_it_from_others() {
        for (path, name) in [
            ("models/churn/model.onnx", "churn"),
            ("models/churn.onnx", "churn"),
            ("models/model.onnx", "fraud"),
            ("model.pkl", "fraud"),
            ("training/artifacts/weights.safetensors", "training"),
        ] {
            let named = name_of(path, Path::new("/somewhere/fraud")).map(|name| name.to_string());
            assert_eq!(named.as_deref(), Some(name), "{path}");
        }
        assert_eq!(
            name_of("model.onnx", Path::new("/")).map(|name| name.to_string()).as_deref(),
            Some("model")
        );
    }
}
