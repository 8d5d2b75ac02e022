//! `tagship sign`: the signature of files, without a repository or a configuration.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tagship_domain::Exit;
use tagship_release::signing::sign_files;
use tagship_runner::{
    Failure,
    args::SignArgs,
    files,
    write::{self, Existing},
};

use crate::{answer::Answer, failure::failed, file_tree::DiskTree, signatures::private_key};

/// Most bytes of a signature that is replaced.
const BUNDLE: u64 = 64 << 20;
/// What belongs to git at the top of a directory: signers of the standard leave it out unless told otherwise.
const GIT_PATHS: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

pub(crate) fn run(args: &SignArgs) -> Result<Answer, Failure> {
    let key = private_key(&args.key_env)?;
    let tree = DiskTree::at(&args.path).map_err(failed)?;
    let subject = name(&args.path)?;
    let out = args.out.clone().unwrap_or_else(|| beside(&args.path, &subject));
    if args.force {
        refuse_other_file(&out)?;
    }
    let mut ignored: Vec<String> = GIT_PATHS.map(str::to_owned).to_vec();
    // A signature among the files is none of them.
    ignored.extend(below(&args.path, &out)?);
    let bundle = sign_files(&tree, &subject, &ignored, &key).map_err(failed)?;
    write::shared(&out, &bundle, if args.force { Existing::Replace } else { Existing::Keep })?;
    let key = key.public().map_err(failed)?;
    let left_out: Vec<String> =
        ignored.into_iter().filter(|path| args.path.is_dir() && args.path.join(path).exists()).collect();
    let mut text = format!("signed {} with the key {}\n", args.path.display(), key.hint());
    if !left_out.is_empty() {
        let _ = writeln!(text, "left out, so that nobody vouches for it: {}", left_out.join(", "));
    }
    text += &out.display().to_string();
    let json =
        json!({ "bundle": out, "key": key.hint(), "subject": subject, "ignored": left_out }).to_string();
    Ok(Answer::plain(Exit::Done, "signed", "done", text, json))
}

/// What is replaced must be a signature: a name that was mistaken costs no model.
fn refuse_other_file(out: &Path) -> Result<(), Failure> {
    let is_signature = |bytes: &[u8]| {
        let document: Option<Value> = serde_json::from_slice(bytes).ok();
        document.is_some_and(|document| document.get("dsseEnvelope").is_some())
    };
    match files::read(out, BUNDLE) {
        Ok(bytes) if is_signature(&bytes) => Ok(()),
        Err(_) if !out.exists() => Ok(()),
        _ => Err(Failure::usage(format!("{} is no signature; name another file with --out", out.display()))),
    }
}

/// The last component of the path, of the directory that it is where it ends in dots.
fn name(path: &Path) -> Result<String, Failure> {
    let unnamed = |why: String| Failure::usage(format!("sign {}: {why}", path.display()));
    let whole = path.canonicalize().map_err(|error| unnamed(error.to_string()))?;
    let name = path.file_name().or_else(|| whole.file_name());
    let name = name.ok_or_else(|| unnamed("it has no name".to_owned()))?;
    name.to_str().map(str::to_owned).ok_or_else(|| unnamed("its name is no UTF-8".to_owned()))
}

fn beside(path: &Path, name: &str) -> PathBuf {
    let name = format!("{name}.sig.json");
    // `.` and `..` are directories to sign, and no names to put a file beside.
    if path.file_name().is_some() { path.with_file_name(name) } else { path.join("..").join(name) }
}

/// Where a file lies below a directory; absent where it lies elsewhere.
fn below(directory: &Path, file: &Path) -> Result<Option<String>, Failure> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Ok(root), Ok(parent), Some(name)) =
        (directory.canonicalize(), parent.canonicalize(), file.file_name())
    else {
        return Ok(None);
    };
    let Ok(inside) = parent.strip_prefix(&root) else { return Ok(None) };
    let inside = inside.join(name);
    let text = inside
        .to_str()
        .ok_or_else(|| Failure::usage(format!("write {}: its name is no UTF-8", file.display())))?;
    Ok(Some(text.replace('\\', "/")))
}
