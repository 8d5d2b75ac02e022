//! `tagship validate`.

use std::{
    path::{Path, PathBuf},
    pin::Pin,
};

use tagship_adapters::{SystemClock, model_runners::ChildRunner};
use tagship_artifact::{
    Format as ArtifactFormat, Validated, ValidationPolicy, fingerprint, rules, validate_path,
    validate_path_remembering,
};
use tagship_config::{AllowedGlobal, ModelConfig, ValidateSettings, validate::DEFAULT_TOLERANCE};
use tagship_domain::{
    ByteSize, Duration, Exit, ModelName,
    golden::{GoldenCases, Tolerance},
    report::Section,
    schema,
    validation::{ArtifactReport, GoldenReport, Status, ValidationReport, Verdict},
};
use tagship_ports::{
    Clock as _, ModelRunner,
    model_runner::{GoldenBounds, Subject},
};
use tagship_report::{
    sarif::{Knowledge, sarif},
    terminal::{self, Style},
};
use tagship_runner::{
    Context, Failure, Progress, Screen,
    args::ValidateArgs,
    commands::Annotation,
    files,
    handover::Handover,
    write::{self, Existing},
};

use crate::{
    answer::Answer,
    project::Project,
    sources::{artifact_path, taken},
    summary,
    verdicts::Verdicts,
};

/// Longest time that all golden cases of a model may take together.
const GOLDEN_TIME: Duration = Duration::from_secs(120);
/// Most memory that running a model may take.
const GOLDEN_MEMORY: ByteSize = ByteSize::bytes(4 << 30);
/// Largest file of golden cases.
const GOLDEN_FILE: u64 = 64 << 20;

/// Fetches the artifact of a model into the job's directory.
pub(crate) type Fetch = for<'a> fn(
    &'a Project,
    &'a ModelName,
    &'a ModelConfig,
) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + 'a>>;

/// `fetch` is absent in a program that is kept small.
pub(crate) async fn run(
    args: &ValidateArgs,
    context: &Context,
    fetch: Option<Fetch>,
) -> Result<Answer, Failure> {
    if let Some(id) = &args.explain {
        return explain(id, &Screen::of(context, args.common.verbose));
    }
    if args.paths.is_empty() {
        let project = Project::open(&args.common, context.clone())?;
        let (name, model) = project.model()?;
        if let Some(address) = model.artifact.elsewhere()
            && (!context.hosted || taken(&project, name, address)?.is_none())
        {
            // In a job all steps are about the same bytes; on a machine of one's own this is the first of them.
            let fetch = fetch.ok_or_else(|| {
                Failure::usage(format!("this program fetches nothing from {address}"))
                    .hint("put the program `tagship` beside it, or run `tagship validate`")
            })?;
            fetch(&project, name, model).await?;
        }
        let memory = Verdicts::of(context).filter(|_| !args.no_cache);
        let validation = validate_model(&project, name, model, memory.as_ref()).await?;
        write_sarif(args, &validation.report)?;
        return answer(&validation, Some(name), &project.handover, &project.context, args.common.verbose);
    }
    let settings = ValidateSettings::default();
    let bounds = bounds(DEFAULT_TOLERANCE, None);
    let memory = Verdicts::of(context).filter(|_| !args.no_cache);
    let mut artifacts = vec![];
    for path in &args.paths {
        let golden = args.golden.as_deref();
        artifacts.push(validate_artifact(path, &settings, golden, bounds, memory.as_ref()).await);
    }
    let validation = Validation::of(artifacts);
    write_sarif(args, &validation.report)?;
    answer(&validation, args.common.model.as_ref(), &Handover::of(context), context, args.common.verbose)
}

/// What a rule means.
fn explain(id: &str, screen: &Screen) -> Result<Answer, Failure> {
    let Some(rule) = rules::find(id) else {
        let mut families: Vec<&str> =
            rules::ALL.iter().map(|rule| rule.id.trim_end_matches(char::is_numeric)).collect();
        families.sort_unstable();
        families.dedup();
        let hint = format!("ids begin with {}, such as {}", families.join(", "), rules::ALL[0].id);
        return Err(Failure::usage(format!("there is no rule {id:?}")).hint(hint));
    };
    let rule = rule.describe();
    let text = terminal::rule(&rule, &crate::style(screen));
    let json = schema::to_json(&rule).map_err(Failure::incomplete)?;
    Ok(Answer::plain(Exit::Done, "explained", "done", text, json))
}

/// Where people read about this program, and where rules have their pages.
const HOME: &str = "https://github.com/tagship/tagship";
const PAGES: &str = "https://github.com/tagship/tagship/blob/main/docs/rules";

/// Writes the findings for code scanning, where that was asked for. A report of findings is no less needed where the
/// verdict is bad.
fn write_sarif(args: &ValidateArgs, report: &ValidationReport) -> Result<(), Failure> {
    let Some(path) = &args.sarif else { return Ok(()) };
    let rule = |id: &str| rules::find(id).map(rules::Rule::describe);
    let knowledge = Knowledge { rule: &rule, fingerprint: &fingerprint, home: HOME, pages: PAGES };
    let log = sarif(report, env!("CARGO_PKG_VERSION"), knowledge);
    write::shared(path, &format!("{log:#}\n"), Existing::Replace)
}

/// What was found about artifacts, and how much of it an earlier run found.
#[derive(Debug)]
pub(crate) struct Validation {
    /// The document. It is the same whatever was remembered.
    pub(crate) report: ValidationReport,
    remembered: usize,
}

impl Validation {
    fn of(artifacts: Vec<Validated>) -> Self {
        let remembered = artifacts.iter().map(|one| one.remembered).sum();
        let report = ValidationReport::of(artifacts.into_iter().map(|one| one.report).collect());
        Self { report, remembered }
    }

    /// What the screen shows of it.
    pub(crate) fn text(&self, style: &Style) -> String {
        let note = match self.remembered {
            0 => String::new(),
            1 => "  1 file was only hashed: the same bytes were judged before (see --no-cache)\n".to_owned(),
            count => format!(
                "  {count} files were only hashed: the same bytes were judged before (see --no-cache)\n"
            ),
        };
        terminal::validation(&self.report, style) + &note
    }
}

/// Judges a configured model's artifact and runs its golden cases.
///
/// # Errors
/// When the configuration suppresses what always counts.
pub(crate) async fn validate_model(
    project: &Project,
    name: &ModelName,
    model: &ModelConfig,
    memory: Option<&Verdicts>,
) -> Result<Validation, Failure> {
    let settings = &model.validate;
    check_suppressions(name, settings)?;
    check_additions(settings)?;
    let golden = settings.golden.as_ref();
    let cases = golden.map(|golden| project.root.join(&golden.cases));
    let bounds =
        golden.map_or(bounds(DEFAULT_TOLERANCE, None), |golden| bounds(golden.tolerance, golden.max_latency));
    let path = artifact_path(project, name, model)?;
    let mut validated = validate_artifact(&path, settings, cases.as_deref(), bounds, memory).await;
    model.artifact.as_str().clone_into(&mut validated.report.path);
    if let Some(address) = model.artifact.elsewhere() {
        // What the place says of the interface counts where the bytes say nothing.
        let declared = taken(project, name, address)?.and_then(|taken| taken.signature);
        validated.report.signature = validated.report.signature.take().or(declared);
    }
    Ok(Validation::of(vec![validated]))
}

pub(crate) fn bounds(tolerance: f64, max_latency: Option<Duration>) -> GoldenBounds {
    GoldenBounds { tolerance: Tolerance { absolute: tolerance, relative: tolerance }, max_latency }
}

fn answer(
    validation: &Validation,
    model: Option<&ModelName>,
    handover: &Handover,
    context: &Context,
    verbose: bool,
) -> Result<Answer, Failure> {
    let report = &validation.report;
    let text = validation.text(&crate::style(&Screen::of(context, verbose)));
    let reason = match (report.verdict, report.status) {
        (Verdict::Reject, _) => "rejected",
        (_, Status::Complete) => "validated",
        (_, Status::Incomplete) => "incomplete",
        (_, Status::Error) => "unreadable",
    };
    let ending = (report.verdict.to_string(), reason.to_owned(), report.exit());
    let answer = Answer::document(handover, model, report, text, ending)?;
    let Some(model) = named(report, model) else { return Ok(answer) };
    let section = Section { validation: Some(report.clone()), ..Section::of(model, None) };
    let mut answer = summary::show(answer, context, vec![section]);
    answer.annotations.extend(report.artifacts.iter().flat_map(annotations));
    Ok(answer)
}

/// What somebody has to look at in an artifact, shown with the file that it lies in.
fn annotations(artifact: &ArtifactReport) -> impl Iterator<Item = Annotation> {
    artifact.counted().filter_map(|finding| {
        let about = finding.target.as_ref().map(|target| format!(", {target}")).unwrap_or_default();
        let message = format!("{} ({}{about})", finding.message, finding.rule);
        let annotation = match finding.severity.verdict() {
            Verdict::Reject => Annotation::error(message),
            Verdict::Warn => Annotation::warning(message),
            Verdict::Pass => return None,
        };
        let file = finding.member.as_deref().and_then(|member| member.split("!/").next());
        let file = match file.filter(|_| artifact.format == "directory") {
            Some(file) => Path::new(&artifact.path).join(file),
            None => PathBuf::from(&artifact.path),
        };
        // The host knows files by their place in the repository.
        let named = file.to_str().filter(|_| file.is_relative());
        Some(match named {
            Some(file) => annotation.in_file(file),
            None => annotation,
        })
    })
}

/// The model, else one by the name of the first file.
fn named(report: &ValidationReport, model: Option<&ModelName>) -> Option<ModelName> {
    let of_file = || {
        let path = Path::new(&report.artifacts.first()?.path);
        ModelName::new(path.file_stem()?.to_str()?.to_ascii_lowercase()).ok()
    };
    model.cloned().or_else(of_file)
}

async fn validate_artifact(
    path: &Path,
    settings: &ValidateSettings,
    cases: Option<&Path>,
    bounds: GoldenBounds,
    memory: Option<&Verdicts>,
) -> Validated {
    let policy = policy(settings);
    let progress = Progress::bytes(&format!("validating {}", path.display()), files::size(path));
    let mut advance = |bytes| progress.advance(bytes);
    let Validated { mut report, remembered } = match memory {
        Some(memory) => validate_path_remembering(path, &policy, memory, &mut advance),
        None => validate_path(path, &policy, &mut advance).into(),
    };
    drop(progress);
    // Nothing that static analysis refuses is ever given to a runtime.
    if let (Some(cases), Verdict::Pass | Verdict::Warn, Status::Complete) =
        (cases, report.verdict, report.status)
    {
        let golden = run_golden(path, cases, bounds).await;
        (report.status, report.verdict) = with_golden(report.status, report.verdict, &golden);
        report.golden = Some(golden);
    }
    Validated { report, remembered }
}

fn policy(settings: &ValidateSettings) -> ValidationPolicy {
    let formats = settings.formats.iter().filter_map(|format| format.as_str().parse::<ArtifactFormat>().ok());
    ValidationPolicy {
        formats: Some(formats.collect()),
        max_size: settings.max_size.map(ByteSize::as_bytes),
        fail_on: settings.fail_on,
        suppressions: settings.suppress.clone(),
        bundles: settings.bundles.clone(),
        additions: settings.allow.iter().map(|allowed| allowed.addition.clone()).collect(),
        now: SystemClock.now(),
    }
}

/// Refuses a suppression of what always counts: it would be believed to be in force.
fn check_suppressions(name: &ModelName, settings: &ValidateSettings) -> Result<(), Failure> {
    for (index, suppression) in settings.suppress.iter().enumerate() {
        ValidationPolicy::check(suppression).map_err(|why| {
            let place = format!("models.{name}.validate.suppress[{index}]");
            Failure::usage(format!("{place}: {} cannot be suppressed: {why}", suppression.rule))
        })?;
    }
    Ok(())
}

/// Refuses to let through what would let anything through.
fn check_additions(settings: &ValidateSettings) -> Result<(), Failure> {
    for AllowedGlobal { addition, location } in &settings.allow {
        ValidationPolicy::check_addition(addition).map_err(|why| {
            Failure::usage(format!("{location}: {} cannot be allowed: {why}", addition.global))
        })?;
    }
    Ok(())
}

/// A wrong answer rejects; cases that could not be run leave the validation incomplete.
fn with_golden(status: Status, verdict: Verdict, golden: &GoldenReport) -> (Status, Verdict) {
    let wrong = golden.cases.iter().any(|case| !case.passed);
    let ran = golden.status == Status::Complete && !golden.cases.is_empty();
    (if ran { status } else { status.max(Status::Incomplete) }, if wrong { Verdict::Reject } else { verdict })
}

async fn run_golden(artifact: &Path, cases: &Path, bounds: GoldenBounds) -> GoldenReport {
    let incomplete =
        |message| GoldenReport { status: Status::Incomplete, cases: vec![], message: Some(message) };
    match (read_cases(cases), runner_program()) {
        (Ok(read), Ok((program, arguments))) => {
            let args = arguments.into_iter().map(Into::into).collect();
            let runner = ChildRunner { program, args, time_limit: GOLDEN_TIME, memory_limit: GOLDEN_MEMORY };
            runner.run(&Subject::File(artifact.to_owned()), &read, bounds).await
        }
        (Err(message), _) | (_, Err(message)) => incomplete(message),
    }
}

/// Reads a file of golden cases.
pub(crate) fn read_cases(path: &Path) -> Result<GoldenCases, String> {
    let size = std::fs::metadata(path).map_err(|error| format!("read {}: {error}", path.display()))?.len();
    if size > GOLDEN_FILE {
        return Err(format!("read {}: it has {size} bytes, more than {GOLDEN_FILE}", path.display()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("read {}: {error}", path.display()))?;
    schema::from_json(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// The program that runs models: `tagship`, this one or the one beside it. The small programs have no runtime.
fn runner_program() -> Result<(PathBuf, Vec<String>), String> {
    let own =
        std::env::current_exe().map_err(|error| format!("find the program that runs models: {error}"))?;
    let is_small = own.file_name().is_some_and(|name| name.to_string_lossy().starts_with("tagship-"));
    let beside = own.with_file_name(format!("tagship{}", std::env::consts::EXE_SUFFIX));
    match (beside.is_file(), is_small) {
        (true, _) => Ok((beside, vec!["golden".to_owned()])),
        (false, false) => Ok((own, vec!["golden".to_owned()])),
        (false, true) => Err(format!(
            "golden cases are run by `tagship`, which is not beside {}; put it there",
            own.display()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_that_can_be_listed_is_analysed_and_the_other_way_round() {
        let policy = policy(&ValidateSettings::default());
        let listed = policy.formats.unwrap_or_default();
        assert_eq!(listed.len(), ArtifactFormat::ANALYSED.len());
        assert!(ArtifactFormat::ANALYSED.iter().all(|format| listed.contains(format)));
        assert!(policy.bundles.into_iter().eq(tagship_domain::bundle::Bundle::ALL), "and every bundle");
    }
}
