//! YAML settings: which classes and functions they make a loader call.
//!
//! Hydra and NeMo call what a `_target_` names, Lightning what a `class_path` does, and YAML's own tags can name Python objects. Only the names are looked
//! for; everything else in such a file is data.

use crate::{
    findings::Findings,
    pickle, rules,
    sidecar::TEMPLATE,
    stream::{Stop, Stream},
};

/// Largest file that is looked through.
const MAX_YAML: u64 = 16 << 20;
/// Keys whose value is imported.
const TARGETS: &[&str] = &[IMPORTED, "class_path", "target"];
/// The one of them that means nothing else.
pub(crate) const IMPORTED: &str = "_target_";
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
    if text.contains("%TAG") || tags(&text).any(|tag| builds(&tag)) {
        findings.whole(&rules::SETTING_RUNS, "a tag that makes a YAML loader build objects of its language");
    }
    if ["\\x", "\\u", "\\U", "\\\n", "\\\r"].iter().any(|escape| text.contains(escape)) {
        findings.whole(&rules::ACTIVE_SIDECAR, "escapes that could spell a key by which loaders find code");
    }
    if text.contains(TEMPLATE) {
        findings.whole(&rules::TEMPLATE_UNREAD, "a template among settings in YAML is not judged");
    }
    for key in TARGETS {
        for (at, _) in text.match_indices(key) {
            let rest = &text[at + key.len()..];
            let part_of_a_word = |c: char| c.is_alphanumeric() || c == '_';
            if text[..at].ends_with(part_of_a_word) || rest.starts_with(part_of_a_word) {
                continue;
            }
            match value(rest) {
                Value::Plain(target) if target.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                    judge(key, target, at as u64, findings);
                }
                Value::Plain(target) if *key != IMPORTED || !target.is_empty() => {}
                Value::None if *key != IMPORTED => {}
                Value::Plain(_) | Value::None | Value::Alias => {
                    let message =
                        "this key makes a loader import what it names, in a way that is not followed";
                    findings.about(&rules::ACTIVE_SIDECAR, Some(at as u64), key, message);
                }
            }
        }
    }
    Ok(())
}

/// Tags in their long form, with escapes of their characters decoded.
fn tags(text: &str) -> impl Iterator<Item = String> {
    text.match_indices(['!']).filter_map(|(at, _)| {
        let tag = &text[at + 1..];
        let whole = tag.starts_with('<');
        let ends = |c: char| c.is_whitespace() || c == '>' || !whole && matches!(c, ',' | ']' | '}');
        let end = tag.find(ends).unwrap_or(tag.len());
        tag.starts_with(['!', '<']).then(|| decode(&tag[..end]))
    })
}

/// Takes `%XX` for the character that it stands for.
fn decode(tag: &str) -> String {
    let mut parts = tag.split('%');
    let mut decoded = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(code) => decoded.push(char::from(code)),
            None => decoded.push('%'),
        }
        decoded.push_str(part.get(if code.is_some() { 2 } else { 0 }..).unwrap_or(""));
    }
    decoded
}

/// Whether a tag names a type of a programming language: Python's, Ruby's, or a class of Java by its package.
fn builds(tag: &str) -> bool {
    let name = tag.trim_start_matches(['!', '<']);
    let name = name.strip_prefix("tag:yaml.org,2002:").unwrap_or(name);
    ["python", "ruby", "java", "javax", "perl"]
        .iter()
        .any(|language| name.strip_prefix(language).is_some_and(|rest| rest.starts_with(['/', '.', ':'])))
        || (tag.starts_with('!') && name.split('.').count() > 2)
}

/// What follows a key.
enum Value<'t> {
    /// The value of its pair, without quotes and what else may stand in front of it.
    Plain(&'t str),
    /// A reference to a value that stands elsewhere.
    Alias,
    /// It is no key here.
    None,
}

fn value(rest: &str) -> Value<'_> {
    let Some(mut rest) = rest.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':') else {
        return Value::None;
    };
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '"', '\'', '>', '|', '-', '+']);
        // A tag, an anchor or a comment in front of the value.
        match rest.chars().next() {
            Some('#') => rest = rest.find('\n').map_or("", |end| &rest[end..]),
            Some('!' | '&') => rest = rest.find(char::is_whitespace).map_or("", |end| &rest[end..]),
            Some('*') => return Value::Alias,
            _ => break,
        }
    }
    let end =
        rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | ':'))).unwrap_or(rest.len());
    Value::Plain(rest[..end].trim_end_matches(['.', ':']))
}

/// Whether a path is one of a class of NeMo, and not of something that one of its modules imports.
fn is_model(target: &str) -> bool {
    let mut parts = target.strip_prefix(MODELS).unwrap_or_default().split('.');
    parts.next_back().is_some_and(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// Judges what settings make a loader import, by the key that it is under.
pub(crate) fn judge(key: &str, target: &str, offset: u64, findings: &mut Findings) {
    let (module, name) = target.rsplit_once('.').unwrap_or(("builtins", target));
    if pickle::is_dangerous(module, name) {
        let message =
            "these settings make a loader call a function that runs code, or reads, writes or connects";
        findings.about(&rules::SETTING_RUNS, Some(offset), target, message);
    } else if key == IMPORTED || (target.contains('.') && !is_model(target)) {
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
        assert_eq!(rules("class_path: my.Thing\n"), ["INT109"]);
        assert_eq!(rules("target: nemo.collections.common.callbacks.os.system\n"), ["INT109"]);
        assert_eq!(rules("\"\\x5ftarget_\": os.system\n"), ["INT109"]);
        assert!(rules("target: nemo.collections.asr.models.EncDecCTCModel\nlabels: [a, b]\n").is_empty());
        for evasion in [
            "? _target_\n: os.system\n",
            "_target_ : !!str os.system\n",
            "_target_: &a os.system\n",
            "_target_: # see below\n  os.system\n",
            "_target_: >-\n  os.system\n",
            "'_target_' : 'os.system'\n",
            "model:\n  class_path: os.system\n  init_args: {command: id}\n",
            "a: !!pyth%6Fn/object/apply:os.system [x]\n",
            "a: !<tag:yaml.org,2002:python/name:os.system> ''\n",
            "a: [!!python/name:os.system '']\n",
            "a: !!javax.script.ScriptEngineManager []\n",
        ] {
            assert_eq!(rules(evasion), ["SEC102"], "{evasion}");
        }
        for unclear in [
            "a: &t os.system\n_target_: *t\n",
            "a: &k _target_\n*k : os.system\n",
            "\"_tar\\\n  get_\": os.system\n",
        ] {
            assert_eq!(rules(unclear), ["INT109"], "{unclear}");
        }
        assert!(rules("greeting: Hello!! World! !important\nkind: !!str a\nset: !!set {a}\n").is_empty());
        assert_eq!(rules("chat_template: '{{ x.__class__ }}'\n"), ["SEC204"]);
        assert!(rules("targets: 3\ntarget: 0.95\n").is_empty());
    }
}
