//! The file `MLmodel` of a directory that MLflow wrote: which loader reads the model, and with what.
//!
//! MLflow imports what such a file names (`mlflow/models/model.py`, `mlflow/pyfunc/__init__.py`), so only loaders are
//! listed that read the files beside them and nothing else, and of YAML only the block style that MLflow writes. The
//! loaders of PyTorch and Keras are not listed: texts beside the model name a module for them to import.

use tagship_domain::addition::GlobalUse;

use crate::{
    findings::Findings,
    pickle::{self, Standing, Trust},
    rules,
    stream::{Stop, Stream},
};

/// Largest file that is looked through; signatures of wide tables take a megabyte.
const MAX_SIZE: u64 = 16 << 20;

/// Loaders that read the model's own files, which are judged beside.
const LOADERS: &[&str] = &[
    "mlflow.catboost",
    "mlflow.lightgbm",
    "mlflow.onnx",
    "mlflow.pyfunc.model",
    "mlflow.sklearn",
    "mlflow.statsmodels",
    "mlflow.xgboost",
];

/// Methods of a model that may be called for predictions.
const METHODS: &[&str] = &[
    "decision_function",
    "predict",
    "predict_joint_log_proba",
    "predict_log_proba",
    "predict_proba",
    "score",
    "transform",
];

/// Keys whose value is a path in the model's directory.
const PATHS: &[&str] = &[
    "artifact_path",
    "conda",
    "data",
    "model",
    "model_path",
    "path",
    "pickled_model",
    "python_model",
    "serving_input_path",
    "virtualenv",
];

/// Keys that bring code of the model's own.
const CODE: &[&str] = &["code", "model_code_path"];

/// Libraries whose versions the description states, each with `_version` behind it.
const VERSIONS: &[&str] = &["cb", "lgb", "mlflow", "onnx", "python", "sklearn", "statsmodels", "xgb"];

/// Whether a file by this name describes a model of MLflow.
pub(crate) fn is_descriptor(path: &str) -> bool {
    path.rsplit('/').next() == Some("MLmodel")
}

/// Judges the description of a model.
pub(crate) fn scan(stream: &mut Stream<'_>, trust: Trust<'_>, findings: &mut Findings) -> Result<(), Stop> {
    let size = stream.size();
    if size > MAX_SIZE {
        findings.whole(
            &rules::NOT_ANALYSED,
            format!("a description of more than {MAX_SIZE} bytes is not analysed"),
        );
        return Ok(());
    }
    let mut bytes = Vec::new();
    stream.take(size, usize::try_from(size).unwrap_or(0), &mut bytes)?;
    let read = std::str::from_utf8(&bytes)
        .map_err(|error| (error.valid_up_to(), "bytes that are no text"))
        .and_then(pairs);
    match read {
        Ok(pairs) => {
            // Keys stand in order, and every version of MLflow writes this one, the last of them.
            if !pairs.iter().any(|pair| pair.key == "utc_time_created") {
                findings
                    .whole(&rules::NOT_ANALYSED, "the description is cut: it does not say when it was made");
            }
            for pair in &pairs {
                judge(pair, trust, findings);
                if let Some(library) =
                    VERSIONS.iter().find(|library| pair.key.strip_suffix("_version") == Some(**library))
                {
                    findings.facts.state(library, pair.value);
                }
            }
        }
        Err((at, what)) => {
            let message =
                format!("{what}, which MLflow does not write; what a loader reads here is not followed");
            findings.about(&rules::ACTIVE_SIDECAR, Some(at as u64), "MLmodel", message);
        }
    }
    Ok(())
}

/// One `key: value`, where it stands, and whether further lines belong to its value.
struct Pair<'t> {
    at: usize,
    key: &'t str,
    value: &'t str,
    goes_on: bool,
}

/// Whether MLflow may call a class; a note where only the team's policy lets it.
fn lets_through((module, name): (&str, &str), at: usize, trust: Trust<'_>, findings: &mut Findings) -> bool {
    let target = format!("{module}.{name}");
    let (module, name) = pickle::normalise(module, name);
    match trust.standing(&module, name) {
        Standing::Listed(usage) => !usage.needs_pickle(),
        Standing::Added(_, addition) if addition.call == GlobalUse::Reduce => {
            findings.about(&rules::ADDED_GLOBAL, Some(at as u64), target, pickle::added(addition));
            true
        }
        Standing::LeftOut(bundle) => {
            findings.about(&rules::BUNDLE_REFUSED, Some(at as u64), target, pickle::left_out(bundle));
            false
        }
        _ => false,
    }
}

fn judge(pair: &Pair<'_>, trust: Trust<'_>, findings: &mut Findings) {
    let Pair { key, value, .. } = *pair;
    let empty = value.is_empty() || value == "null";
    let sound = match key {
        "loader_module" => LOADERS.contains(&value),
        "predict_fn" => METHODS.contains(&value),
        "model_class" => {
            value.rsplit_once('.').is_some_and(|class| lets_through(class, pair.at, trust, findings))
        }
        key if CODE.contains(&key) => empty,
        key if PATHS.contains(&key) => is_inside(value),
        _ => return,
    };
    // A key without a value on its line may have one below, a list or a mapping of keys that are judged themselves.
    let below = value.is_empty() && !CODE.contains(&key) && PATHS.contains(&key);
    if pair.goes_on || !(sound || below) {
        let message = format!("MLflow would follow the {key} {value:?}, which is not checked");
        findings.about(&rules::ACTIVE_SIDECAR, Some(pair.at as u64), key, message);
    }
}

/// Whether a path stays in the model's directory.
fn is_inside(path: &str) -> bool {
    !path.starts_with(['/', '~'])
        && !path.contains([':', '\\', '$', '%'])
        && path.split('/').all(|segment| segment != "..")
}

/// All pairs of block mappings at any depth; where and what is written otherwise.
fn pairs(text: &str) -> Result<Vec<Pair<'_>>, (usize, &'static str)> {
    if let Some((at, _)) = text.char_indices().find(|(_, c)| is_odd(*c)) {
        return Err((at, "a line break or control character"));
    }
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    let mut quoted = false;
    let mut at = 0;
    for line in text.split('\n') {
        let start = at;
        at += line.len() + 1;
        if quoted {
            quoted = !closes(line).map_err(|what| (start, what))?;
            continue;
        }
        let mut rest = line.trim_start_matches(' ');
        while let Some(item) = rest.strip_prefix("- ") {
            rest = item.trim_start_matches(' ');
        }
        if rest.is_empty() || rest == "-" || rest.starts_with('#') {
            continue;
        }
        let value = match split(rest).map_err(|what| (start, what))? {
            Some((key, value)) => {
                pairs.push(Pair { at: start, key, value: unquoted(value), goes_on: false });
                value
            }
            None => {
                // An item of a list, or more of the value above.
                if let Some(last) = pairs.last_mut() {
                    last.goes_on |= !last.value.is_empty() || CODE.contains(&last.key);
                }
                rest
            }
        };
        quoted = opens(value).map_err(|what| (start, what))?;
        if quoted && let Some(last) = pairs.last_mut() {
            last.goes_on = true;
        }
    }
    if quoted { Err((text.len(), "a quote that does not end")) } else { Ok(pairs) }
}

/// What YAML takes for a break or a blank of another kind.
fn is_odd(c: char) -> bool {
    (c.is_control() && c != '\n') || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Key and value of a line, if it has them.
fn split(line: &str) -> Result<Option<(&str, &str)>, &'static str> {
    if line.starts_with("? ") || line.starts_with("---") || line.starts_with("...") || line.starts_with('%') {
        return Err("a directive, a second document or an explicit key");
    }
    if let Some(quote) = line.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let Some((inner, rest)) = line[1..].split_once(quote) else { return Ok(None) };
        let Some(value) = rest.trim_start_matches(' ').strip_prefix(':') else { return Ok(None) };
        let plain = !inner.contains('\\') && (value.is_empty() || value.starts_with(' '));
        return if plain { Ok(Some((inner, value.trim()))) } else { Err("a key with escapes") };
    }
    if let Some((key, value)) = line.split_once(": ") {
        return Ok(Some((key.trim_end(), value.trim())));
    }
    Ok(line.trim_end().strip_suffix(':').map(|key| (key.trim_end(), "")))
}

/// Whether a value begins a text that goes on in the next line.
fn opens(value: &str) -> Result<bool, &'static str> {
    let Some(first) = value.chars().next() else { return Ok(false) };
    match first {
        '\'' => Ok(!closes(&value[1..])?),
        '"' => {
            let end = value[1..].strip_suffix('"');
            let plain = end.is_some_and(|inner| !inner.contains(['"', '\\']));
            if plain { Ok(false) } else { Err("a text in double quotes with escapes or over lines") }
        }
        '{' | '[' if matches!(value, "{}" | "[]") => Ok(false),
        '{' | '[' | '&' | '*' | '!' | '|' | '>' | '@' | '`' | '%' => Err("a value in another style of YAML"),
        _ => Ok(false),
    }
}

/// Whether a text in single quotes ends in this line, and the line with it.
fn closes(line: &str) -> Result<bool, &'static str> {
    let mut rest = line;
    while let Some((_, after)) = rest.split_once('\'') {
        match after.strip_prefix('\'') {
            Some(more) => rest = more,
            None if after.trim().is_empty() => return Ok(true),
            None => return Err("something behind a quoted text"),
        }
    }
    Ok(false)
}

fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('\'').or_else(|| inner('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use crate::build::{judge_files, passes, rules, told};

    const MODEL: &str = "flavors:\n  python_function:\n    env:\n      conda: conda.yaml\n    loader_module: \
                         mlflow.sklearn\n    model_path: model.pkl\n    predict_fn: predict_proba\n  sklearn:\n    \
                         code: null\n    pickled_model: model.pkl\nsignature:\n  inputs: '[{\"type\": \"double\"},\n    \
                         {\"name\": \"it''s\", \"x\": loader_module: os}]'\n  params: null\nlist:\n- a.b\n- c\nutc_time_created: x\n";

    fn check(yaml: &str) -> (bool, Vec<String>) {
        let pickle = b"\x80\x04N.".to_vec();
        let report = judge_files(vec![("MLmodel", yaml.as_bytes().to_vec()), ("model.pkl", pickle)]);
        (passes(&report), rules(&report).into_iter().map(str::to_owned).collect())
    }

    #[test]
    fn a_description_as_mlflow_writes_it_passes() {
        assert_eq!(check(MODEL), (true, vec![]));
        assert!(!check(&MODEL.replace("utc_time_created: x\n", "")).0, "cut");
        assert!(check(&MODEL.replace("code: null", "model_class: xgboost.sklearn.XGBClassifier")).0);
    }

    #[test]
    fn a_description_tells_versions() {
        let yaml = MODEL.replace("    code: null", "    sklearn_version: 1.5.2\n    code: null");
        let files = vec![("MLmodel", yaml.into_bytes()), ("model.pkl", b"\x80\x04N.".to_vec())];
        assert_eq!(told(&judge_files(files).facts.unwrap()), ["sklearn: 1.5.2"]);
    }

    #[test]
    fn what_would_be_imported_or_read_elsewhere_does_not() {
        for (from, to) in [
            ("mlflow.sklearn", "os"),
            ("mlflow.sklearn", "mlflow.sklearn\n     .evil"),
            ("mlflow.sklearn", "'mlflow.\n      sklearn'"),
            ("mlflow.sklearn", "&a mlflow.sklearn"),
            ("loader_module: mlflow.sklearn", "\"loader\\u005fmodule\": os"),
            ("loader_module: mlflow.sklearn", "\"loader_module\": os"),
            ("loader_module: mlflow.sklearn", "? loader_module\n    : os"),
            ("loader_module: mlflow.sklearn", "x: {loader_module: os}"),
            ("loader_module: mlflow.sklearn", "- - loader_module: os"),
            ("predict_proba", "__reduce__"),
            ("code: null", "code: code"),
            ("code: null", "code:\n      - code"),
            ("code: null", "model_code_path: run.py"),
            ("code: null", "model_class: os.system"),
            ("pickled_model: model.pkl", "pickled_model: ../model.pkl"),
            ("pickled_model: model.pkl", "pickled_model: https://host/model.pkl"),
            ("pickled_model: model.pkl", "pickled_model: 'model.pkl' x"),
            ("flavors:", "a: 'x\nflavors:"),
        ] {
            assert!(MODEL.contains(from));
            let (passed, rules) = check(&MODEL.replacen(from, to, 1));
            assert!(!passed && rules == ["INT109"], "{to}: {rules:?}");
        }
    }
}
