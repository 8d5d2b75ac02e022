//! `tagship verify`.

use std::{fmt::Write as _, path::Path};

use serde_json::json;
use tagship_adapters::stores;
use tagship_domain::Exit;
use tagship_release::signing::{PublicKey, verify_bundle};
use tagship_runner::{Context, Failure, args::VerifyArgs, files};

use crate::{
    answer::Answer, failure::failed, file_tree::DiskTree, signatures::key_at, verbs::chain,
    workspace::Workspace,
};

/// Most bytes of a signature: a statement names every file of a model.
const BUNDLE: u64 = 64 << 20;

pub(crate) async fn run(args: &VerifyArgs, context: &Context) -> Result<Answer, Failure> {
    let keys = args.key.iter().map(|path| key_at(path)).collect::<Result<Vec<_>, _>>()?;
    match &args.bundle {
        Some(bundle) => verify_files(Path::new(&args.subject), bundle, &keys),
        None => {
            let workspace = Workspace::open(&args.common, context.clone(), stores::open)?;
            chain::verify(&workspace, &args.subject, keys).await
        }
    }
}

/// Files against a signature; needs no repository.
fn verify_files(path: &Path, bundle: &Path, keys: &[PublicKey]) -> Result<Answer, Failure> {
    let bytes = files::read(bundle, BUNDLE)
        .map_err(|why| Failure::usage(format!("read the signature {}: {why}", bundle.display())))?;
    let verified = verify_bundle(&bytes, keys).map_err(failed)?;
    let unnamed = verified.check_files(&DiskTree::at(path).map_err(failed)?).map_err(failed)?;
    let mut text = format!(
        "{}: {} {} as signed with the key {}",
        path.display(),
        verified.resources(),
        if verified.resources() == 1 { "file or piece is" } else { "files or pieces are" },
        verified.key()
    );
    if !verified.ignored().is_empty() {
        let _ = write!(text, "\nnobody vouches for {}", verified.ignored().join(", "));
    }
    if !unnamed.is_empty() {
        let _ = write!(
            text,
            "\nnobody vouches for {}: a signature in pieces does not name empty files",
            unnamed.join(", ")
        );
    }
    if !verified.names_its_key() {
        text += "\nthe signature does not name its key, as signers before version 1 did not";
    }
    let json = json!({
        "verified": true, "subject": verified.subject(), "key": verified.key(), "resources": verified.resources(),
        "ignored": verified.ignored(), "unnamed": unnamed,
    });
    Ok(Answer::plain(Exit::Done, "verified", "signed", text, json.to_string()))
}
