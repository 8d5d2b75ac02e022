//! What is asked of the registry for bytes that are to be released: which number, why, and what the tag says.

use tagship_domain::{CommitId, FileEntry, Manifest, schema};
use tagship_registry::{Number, RegistrationRequest, Trailer, Trailers};

use crate::{
    bump::{NextBump, next_bump},
    draft::{Draft, Made},
    error::ReleaseError,
    fetch::digest_of,
    judged::Judged,
};

/// Whether a release has the number that was asked for, where one was.
pub(crate) fn is_asked_for(draft: &Draft, made: &Made) -> bool {
    match &draft.number {
        Some(Number::Exactly(version)) => *version == made.release.version,
        _ => true,
    }
}

/// The request for the version of a draft at a commit; with its manifest, once that is made.
pub(crate) fn request(
    draft: &Draft,
    judged: &Judged<'_>,
    commit: &CommitId,
    number: Number,
    manifest: Option<&Manifest>,
) -> Result<RegistrationRequest, ReleaseError> {
    Ok(RegistrationRequest {
        model: draft.model.clone(),
        commit: commit.clone(),
        digest: judged.digest.clone(),
        number,
        trailers: trailers(draft, manifest)?,
    })
}

/// Which number the bytes take where no run has claimed one for them, and why.
pub(crate) fn next_number(draft: &Draft, judged: &Judged<'_>, newest: Option<&Manifest>) -> (Number, String) {
    let files: Vec<FileEntry> = draft.files.iter().map(|file| file.entry.clone()).collect();
    chosen(draft.number.as_ref(), next_bump(newest, judged.artifact.signature.as_ref(), &files))
}

/// The number that a release asks for and why: what was said, else what the comparison says.
pub(crate) fn chosen(said: Option<&Number>, auto: NextBump) -> (Number, String) {
    match said {
        None => (Number::Next(auto.bump), auto.because),
        Some(number @ Number::Next(_)) => (number.clone(), "as configured".to_owned()),
        Some(number @ Number::Exactly(_)) => (number.clone(), "the number was given".to_owned()),
    }
}

fn trailers(draft: &Draft, manifest: Option<&Manifest>) -> Result<Trailers, ReleaseError> {
    let trailers = Trailers::new()
        .with(Trailer::Actor, &draft.by.actor)
        .with(Trailer::Run, draft.by.run.as_deref().unwrap_or_default());
    Ok(match manifest {
        None => trailers,
        Some(manifest) => {
            let digest = digest_of(schema::to_json(manifest)?.as_bytes());
            trailers.with(Trailer::Manifest, &digest.to_string())
        }
    })
}
