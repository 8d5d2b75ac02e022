//! Names of files of releases: what the host keeps as it is, and what tells which bytes a file has.

use tagship_domain::Digest;

/// Longest parts of a name that are kept, in characters.
const LONGEST_STEM: usize = 100;
const LONGEST_EXTENSION: usize = 16;

/// A name that the host keeps as it is: the file's own, with the first digits of the digest.
pub(crate) fn asset_name(base: &str, digest: &Digest) -> String {
    let (stem, extension) = match base.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, extension),
        _ => (base, ""),
    };
    let plain = |text: &str, longest: usize| -> String {
        let keep = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let text: String = text.chars().take(longest).map(keep).collect();
        text.trim_matches(['.', '-']).to_owned()
    };
    let (stem, extension) = (plain(stem, LONGEST_STEM), plain(extension, LONGEST_EXTENSION));
    let stem = if stem.is_empty() { "file" } else { &stem };
    let dot = if extension.is_empty() { "" } else { "." };
    format!("{stem}-{}{dot}{extension}", digest.short())
}

/// The same name with all digits of the digest instead of the first ones.
pub(crate) fn full_name(name: &str, digest: &Digest) -> String {
    match name.rsplit_once(digest.short()) {
        Some((before, after)) => format!("{before}{}{after}", digest.hex()),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_by_the_host_and_tell_what_they_hold() {
        let digest = Digest::from_bytes([0xab; 32]);
        let long = "x".repeat(300);
        for (base, expected) in [
            ("model.onnx", "model-abababababab.onnx".to_owned()),
            ("model", "model-abababababab".to_owned()),
            ("weights.tar.gz", "weights.tar-abababababab.gz".to_owned()),
            ("my model (1).onnx", "my-model--1-abababababab.onnx".to_owned()),
            (".env", "env-abababababab".to_owned()),
            ("größe.bin", "gr--e-abababababab.bin".to_owned()),
            ("é.é", "file-abababababab".to_owned()),
            ("", "file-abababababab".to_owned()),
            (long.as_str(), format!("{}-abababababab", "x".repeat(100))),
        ] {
            assert_eq!(asset_name(base, &digest), expected, "{base}");
        }
    }
}
