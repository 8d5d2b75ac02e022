//! Attestations of GitHub, verified by its official client: `gh attestation verify`.
//!
//! Whatever `gh` cannot do (it is missing, too old, without a network) must not read as a refusal, and it ends with 1 for all of
//! that. So it is first asked for the roots of trust, the one thing that needs the network; with them it then verifies from files
//! alone, where a 1 is a no. It gets the token only where it has to fetch something itself.

mod answer;
#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use tagship_domain::{Duration, Redacted};
use tagship_ports::{
    AttestationVerifier, PortError, Problem,
    attestations::{AttestedBytes, Judged, Kept},
};

use crate::targets::exec::hook::{Ended, Hook, Run, said, shown};

/// Variables that `gh` gets where they are set: where programs, its cache and a proxy are.
pub const VARIABLES: [&str; 17] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "APPDATA",
    "LOCALAPPDATA",
    "USERPROFILE",
    "XDG_CACHE_HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// How long one call may take: the first one of a machine fetches the roots of trust.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Keeps what can be believed of an answer, which holds every bundle otherwise.
const FILTER: &str = "[.[].verificationResult.signature.certificate]";
const OPERATION: &str = "verify GitHub's attestations";
const UPDATE: &str = "install a newer `gh` (https://cli.github.com); runners that GitHub hosts have one";

/// Whose attestations are believed.
#[derive(Debug, Clone)]
pub struct GhSettings {
    /// Where people look at the host, `https://github.com`.
    pub server_url: String,
    /// `owner/name` of the repository.
    pub repository: String,
    /// Reads what the host does not hand out itself.
    pub token: Redacted<String>,
    /// The environment of `gh`.
    pub environment: BTreeMap<String, String>,
}

/// The `gh` on the path.
#[derive(Debug, Clone)]
pub struct Gh {
    settings: GhSettings,
    /// Name of the host, as `gh` wants it.
    hostname: String,
    timeout: Duration,
}

/// The host for which files are all that `gh` needs; it asks a tenant's host for the tenant's name.
const PUBLIC: &str = "github.com";

impl Gh {
    /// Nothing is run yet.
    pub fn new(settings: GhSettings) -> Self {
        let server = settings.server_url.trim_end_matches('/');
        let hostname = server.split_once("://").map_or(server, |(_, host)| host).to_owned();
        Self { settings, hostname, timeout: TIMEOUT }
    }

    /// The roots of trust, in a file.
    async fn roots(&self, directory: &Path) -> Result<PathBuf, PortError> {
        let arguments = ["trusted-root", "--hostname", &self.hostname];
        let run = self.run(directory, &arguments, self.hostname != PUBLIC).await?;
        if run.ended_with() != Some(0) || run.stdout.trim_ascii().is_empty() {
            let hint = "`gh` fetches the roots of trust from the network; try again where it is reached";
            return Err(unjudged("get the roots of trust", &run, Problem::Unreachable, hint));
        }
        // A line without an end is passed over by `gh`.
        save(directory, "roots.jsonl", &[run.stdout.trim_ascii(), b"\n"].concat())
    }

    /// The bundles, in a file: those that the host handed out, else what `gh` fetches.
    async fn bundles(&self, directory: &Path, subject: &Path, kept: &Kept) -> Result<PathBuf, PortError> {
        if let Some(bundles) = &kept.bundles {
            return save(directory, "bundles.jsonl", (bundles.join("\n") + "\n").as_bytes());
        }
        // It writes into the directory where it runs, under a name of its own.
        let fetched = directory.join("fetched");
        fs::create_dir(&fetched).map_err(|error| unwritten(&fetched, &error))?;
        let (repository, subject) = (self.settings.repository.as_str(), subject.display().to_string());
        let arguments = ["download", &subject, "--repo", repository, "--hostname", &self.hostname];
        let run = self.run(&fetched, &arguments, true).await?;
        let files = fs::read_dir(&fetched).map_err(|error| unwritten(&fetched, &error))?;
        let found = files.flatten().map(|file| file.path()).find(|path| path.extension().is_some());
        match found.filter(|_| run.ended_with() == Some(0)) {
            Some(file) => Ok(file),
            None => Err(unjudged(
                "fetch the attestations",
                &run,
                Problem::Unreachable,
                "the token needs `permissions: attestations: read`",
            )),
        }
    }

    async fn run(&self, directory: &Path, arguments: &[&str], with_token: bool) -> Result<Run, PortError> {
        let command = ["gh", "attestation"].iter().chain(arguments).map(|word| (*word).to_owned()).collect();
        let mut environment = self.settings.environment.clone();
        // It asks nobody anything, and prints what is asked for alone.
        let plain = [("GH_PROMPT_DISABLED", "1"), ("GH_NO_UPDATE_NOTIFIER", "1"), ("NO_COLOR", "1")];
        environment.extend(plain.map(|(name, value)| (name.to_owned(), value.to_owned())));
        if with_token {
            environment.insert("GH_TOKEN".to_owned(), self.settings.token.expose().clone());
        }
        let hook = Hook { command, directory: directory.to_owned(), environment, timeout: self.timeout };
        hook.run(OPERATION, b"").await.map_err(|error| {
            PortError::new(Problem::Unsupported, OPERATION, format!("`gh` cannot be run: {}", error.message))
                .hint("install GitHub's client `gh` (https://cli.github.com); runners that GitHub hosts have it")
        })
    }
}

#[async_trait]
impl AttestationVerifier for Gh {
    async fn verify(&self, bytes: AttestedBytes<'_>, kept: &Kept) -> Result<Judged, PortError> {
        let directory = tempfile::tempdir()
            .map_err(|error| PortError::new(Problem::Local, OPERATION, error.to_string()))?;
        let directory = directory.path();
        let subject = match bytes {
            AttestedBytes::File(path) => std::path::absolute(path)
                .map_err(|error| PortError::new(Problem::Local, OPERATION, error.to_string()))?,
            AttestedBytes::Text(text) => save(directory, "subject", text.as_bytes())?,
        };
        let roots = self.roots(directory).await?.display().to_string();
        let bundles = self.bundles(directory, &subject, kept).await?.display().to_string();
        let signer = answer::signer(&self.settings);
        let subject = subject.display().to_string();
        let arguments = [
            "verify",
            &subject,
            "--repo",
            &self.settings.repository,
            "--hostname",
            &self.hostname,
            "--cert-identity-regex",
            &signer,
            "--bundle",
            &bundles,
            "--custom-trusted-root",
            &roots,
            "--format",
            "json",
            "--jq",
            FILTER,
        ];
        let run = self.run(directory, &arguments, self.hostname != PUBLIC).await?;
        match run.ended_with() {
            Some(0) => answer::read(&run.stdout, &self.settings),
            Some(1) if !is_too_old(&run) => Ok(Judged::Refused(told(&run))),
            _ => Err(unjudged(
                "verify them",
                &run,
                Problem::Unsupported,
                "run `gh attestation verify` by hand",
            )),
        }
    }
}

impl Run {
    fn ended_with(&self) -> Option<i32> {
        match self.ended {
            Ended::Code(code) => Some(code),
            Ended::Killed(_) | Ended::TimedOut | Ended::TooMuch => None,
        }
    }
}

/// It knows the command or one of its options not yet.
fn is_too_old(run: &Run) -> bool {
    let told = shown(&run.stderr);
    told.starts_with("unknown command") || told.starts_with("unknown flag")
}

/// `gh` did not do what it was asked for; that is nobody's refusal.
fn unjudged(what: &str, run: &Run, problem: Problem, hint: &str) -> PortError {
    if is_too_old(run) {
        let message = format!("this `gh` is too old to {what}");
        return PortError::new(Problem::Unsupported, OPERATION, message).hint(UPDATE);
    }
    let (message, problem) = match &run.ended {
        Ended::Code(code) => (format!("`gh` could not {what} and ended with {code}"), problem),
        Ended::Killed(status) => (format!("`gh` was ended from outside ({status})"), Problem::Unreachable),
        Ended::TimedOut => ("`gh` gave no answer in time and was ended".to_owned(), Problem::Unreachable),
        Ended::TooMuch => ("`gh` printed more than an answer may have".to_owned(), Problem::Invalid),
    };
    PortError::new(problem, OPERATION, message + &said(&shown(&run.stderr))).hint(hint)
}

/// Why it refuses, in its own words.
fn told(run: &Run) -> String {
    let told = shown(&run.stderr);
    if told.is_empty() { "it did not say why".to_owned() } else { told }
}

fn save(directory: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, PortError> {
    let path = directory.join(name);
    fs::write(&path, bytes).map_err(|error| unwritten(&path, &error))?;
    Ok(path)
}

fn unwritten(path: &Path, error: &std::io::Error) -> PortError {
    PortError::new(Problem::Local, OPERATION, format!("{}: {error}", path.display()))
}
