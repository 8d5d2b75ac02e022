//! What a `.keras` archive must hold, once its members have been judged by themselves.

use crate::{findings::Findings, format::Format, rules};

/// Holds the members of an archive against what Keras writes.
pub(crate) fn check_members(members: &[(String, Format)], findings: &mut Findings) {
    let format = |name: &str| members.iter().find(|(own, _)| own == name).map(|(_, format)| *format);
    match format("config.json") {
        Some(Format::KerasJson) => {}
        Some(_) => findings.about(&rules::KERAS_CONFIG, None, "config.json", "it does not describe a model"),
        None => findings.whole(&rules::KERAS_CONFIG, "there is no `config.json` in the archive"),
    }
    if format("metadata.json").is_none() {
        findings.whole(&rules::KERAS_CONFIG, "there is no `metadata.json` in the archive");
    }
    let is_weights = |name: &str| name.starts_with("model.weights.");
    if !members.iter().any(|(name, _)| is_weights(name)) {
        findings.whole(&rules::KERAS_CONFIG, "there are no weights in the archive");
    }
    for (name, format) in members {
        let sound = match format {
            Format::Hdf5 | Format::Npz => true,
            Format::Pickle | Format::Joblib | Format::Torch | Format::Executable | Format::Script => false,
            _ => !is_weights(name),
        };
        if !sound {
            let message = format!("a {format} file in a Keras archive, which needs none");
            findings.about(&rules::KERAS_MEMBER, None, name, message);
        }
    }
}
