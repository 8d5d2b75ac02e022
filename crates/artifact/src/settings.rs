//! YAML settings: which classes and functions they make a loader call.
//!
//! Hydra and NeMo call what a `_target_` names, and YAML's own tags can name Python objects. Only the names are looked
//! for; everything else in such a file is data.

use crate::{
    findings::Findings,
    pickle, rules,
    stream::{Stop, Stream},
};

/// Largest file that is looked through.
const MAX_YAML: u64 = 16 << 20;
/// Keys whose value is imported.
const TARGETS: &[&str] = &["_target_", "target"];
/// Where NeMo's own models lie, one of which its settings name.
const MODELS: &str = "nemo.collections.";

/// Whether a name is one of settings in YAML.
pub(crate) fn is_yaml(path: &str) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    ["yaml", "yml"].iter().any(|yaml| extension.eq_ignore_ascii_case(yaml))
}

/// Looks through settings for what they make a loader call.
pub(crate) fn scan(stream: &mut Stream<'_>, findings: &mut Findings) -> Result<(), Stop> {
    let size = stream.size();
    if size > MAX_YAML {
        findings
            .whole(&rules::NOT_ANALYSED, format!("settings of more than {MAX_YAML} bytes are not analysed"));
        return Ok(());
    }
    let mut text = Vec::new();
    stream.take(size, usize::try_from(size).unwrap_or(0), &mut text)?;
    let text = String::from_utf8_lossy(&text);
    if text.contains("!!python") || text.contains("!<tag:yaml.org,2002:python") || text.contains("%TAG") {
        findings.whole(&rules::SETTING_RUNS, "a tag that makes a YAML loader build Python objects");
    }
    if ["\\x", "\\u", "\\U"].iter().any(|escape| text.contains(escape)) {
        findings.whole(&rules::ACTIVE_SIDECAR, "escapes that could spell a key by which loaders find code");
    }
    for key in TARGETS {
        for (at, _) in text.match_indices(key) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let target = value(&text[at + key.len()..]);
            if let Some(target) =
                target.filter(|target| target.starts_with(|c: char| c.is_alphabetic() || c == '_'))
            {
                judge(key, target, at as u64, findings);
            }
        }
    }
    Ok(())
}

/// What follows a key: the value of its pair, without quotes.
fn value(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches(['"', '\'']).trim_start_matches([' ', '\t']).strip_prefix(':')?;
    let rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '"', '\'', '>', '|', '-']);
    let end =
        rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | ':'))).unwrap_or(rest.len());
    Some(rest[..end].trim_end_matches(['.', ':']))
}

fn judge(key: &str, target: &str, offset: u64, findings: &mut Findings) {
    let (module, name) = target.rsplit_once('.').unwrap_or(("builtins", target));
    if pickle::is_dangerous(module, name) {
        let message =
            "these settings make a loader call a function that runs code, or reads, writes or connects";
        findings.about(&rules::SETTING_RUNS, Some(offset), target, message);
    } else if key == "_target_" || (target.contains('.') && !target.starts_with(MODELS)) {
        let message = "these settings make a loader import and call this, which is not checked";
        findings.about(&rules::ACTIVE_SIDECAR, Some(offset), target, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(yaml: &str) -> Vec<String> {
        crate::seeds::input("yaml", yaml.as_bytes());
        let mut findings = Findings::new();
        let mut stream = Stream::nested(Box::new(yaml.as_bytes()), Some(yaml.len() as u64));
        scan(&mut stream, &mut findings).unwrap();
        findings.into_list(None).into_iter().map(|finding| finding.rule.into_owned()).collect()
    }

    #[test]
    fn settings_that_name_code_are_found() {
        assert_eq!(rules("model:\n  _target_: os.system\n"), ["SEC102"]);
        assert_eq!(rules("model: {\"_target_\": \"subprocess.Popen\"}\n"), ["SEC102"]);
        assert_eq!(rules("model: {_target_: eval}\n"), ["SEC102"]);
        assert_eq!(rules("a: !!python/object/apply:os.system [x]\n"), ["SEC102"]);
        assert_eq!(rules("_target_: my.Thing\n"), ["INT109"]);
        assert_eq!(rules("\"\\x5ftarget_\": os.system\n"), ["INT109"]);
        assert!(rules("target: nemo.collections.asr.models.EncDecCTCModel\nlabels: [a, b]\n").is_empty());
        assert!(rules("targets: 3\ntarget: 0.95\n").is_empty());
    }
}
