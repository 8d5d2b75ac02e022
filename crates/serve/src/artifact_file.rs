//! Which file of an artifact is the model.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The model file of an artifact: the file itself, the one file of a directory, its one `*.onnx` file, or
/// `model.onnx` where there are several. Only files at the root of the directory count: external data lies beside or
/// below the model.
///
/// # Errors
/// A sentence that says why no file, or no single one, is the model.
pub(crate) fn model_file(artifact: &Path) -> Result<PathBuf, String> {
    let place = artifact.display();
    let unreadable = |error| format!("read {place}: {error}");
    if fs::metadata(artifact).map_err(unreadable)?.is_file() {
        return Ok(artifact.to_owned());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(artifact).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    if let [only] = files.as_slice() {
        return Ok(only.clone());
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx")));
    match files.as_slice() {
        [] => Err(format!("{place} has no .onnx file at its root; the model must lie there")),
        [only] => Ok(only.clone()),
        several => several
            .iter()
            .find(|path| path.file_name().is_some_and(|name| name == "model.onnx"))
            .cloned()
            .ok_or_else(|| format!("{place} has {} .onnx files; name the model model.onnx", several.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_named_or_unique() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        assert!(model_file(directory.path()).unwrap_err().contains("no .onnx file"));
        fs::write(at("anything"), "").unwrap();
        assert_eq!(model_file(directory.path()).unwrap(), at("anything"));
        fs::write(at("a.onnx"), "").unwrap();
        assert_eq!(model_file(directory.path()).unwrap(), at("a.onnx"));
        fs::write(at("b.onnx"), "").unwrap();
        assert!(model_file(directory.path()).unwrap_err().contains("2 .onnx files"));
        fs::write(at("model.onnx"), "").unwrap();
        assert_eq!(model_file(directory.path()).unwrap(), at("model.onnx"));
        assert_eq!(model_file(&at("b.onnx")).unwrap(), at("b.onnx"));
        assert!(model_file(&at("absent")).is_err());
    }
}
