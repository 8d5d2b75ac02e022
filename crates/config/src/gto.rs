//! The two files of GTO: its settings in `.gto`, and what people wrote about models in `artifacts.yaml`.
//!
//! Read as GTO 1.10.1 reads them, <https://github.com/iterative/gto>, `gto/config.py` and `gto/index.py`. One difference:
//! to GTO one bad entry makes the whole file bad, here it is one entry that is left out, with the reason.

use tagship_domain::annotation::{Annotation, Ordered};

use crate::yaml::{YamlError, to_ordered};

/// Where annotations lie unless `.gto` says otherwise.
const ANNOTATIONS_FILE: &str = "artifacts.yaml";
/// Settings that change how GTO talks or what it reads beside, and nothing of what the registry is.
const OTHER_SETTINGS: [&str; 6] =
    ["config_file_name", "log_level", "debug", "emojis", "enrichments", "autoload_enrichments"];

/// What `.gto` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GtoSettings {
    /// The only stages there may be, where the list is given.
    pub stages: Option<Vec<String>>,
    /// The only types that annotations may have, where the list is given.
    pub types: Option<Vec<String>>,
    /// Path of the file of annotations in the repository.
    pub annotations: String,
}

impl Default for GtoSettings {
    fn default() -> Self {
        Self { stages: None, types: None, annotations: ANNOTATIONS_FILE.to_owned() }
    }
}

/// Why a file of GTO's is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GtoFileError {
    /// No YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// YAML with another meaning.
    #[error("{0}")]
    Shape(String),
}

/// One entry of a file of annotations: the model's name, and what it says or why it cannot be used.
pub type AnnotationEntry = (String, Result<Annotation, String>);

/// Reads the text of a `.gto` file.
///
/// # Errors
/// When it is no YAML, or holds a key or value that GTO refuses.
pub fn parse_gto_settings(text: &str) -> Result<GtoSettings, GtoFileError> {
    let mut settings = GtoSettings::default();
    for (key, value) in mapping(to_ordered(text)?)? {
        // To GTO the case of a key is all one.
        match key.to_lowercase().as_str() {
            "stages" => settings.stages = names(&key, value)?,
            "types" => settings.types = names(&key, value)?,
            "index" => match value {
                Ordered::Text(path) => settings.annotations = path,
                other => return Err(wrong(&key, "a path", &other)),
            },
            other if OTHER_SETTINGS.contains(&other) => {}
            _ => {
                return Err(GtoFileError::Shape(format!(
                    "{key} is none of GTO's settings (known: stages, types, index, {})",
                    OTHER_SETTINGS.join(", ")
                )));
            }
        }
    }
    Ok(settings)
}

/// Reads the text of an `artifacts.yaml` file, in its order.
///
/// # Errors
/// When it is no YAML or no mapping. A single bad entry is an error of its own.
pub fn parse_annotations(text: &str) -> Result<Vec<AnnotationEntry>, GtoFileError> {
    let read = |(name, value): (String, Ordered)| {
        let annotation = if is_name(&name) {
            annotation(value)
        } else {
            Err("its name is none of GTO's: letters, digits, `-`, `_` and `/`, a letter or digit at both ends".to_owned())
        };
        (name, annotation)
    };
    match to_ordered(text)? {
        Ordered::Mapping(entries) => Ok(entries.into_iter().map(read).collect()),
        other => Err(GtoFileError::Shape(format!("it holds {}, not names with what they are", other.kind()))),
    }
}

fn annotation(value: Ordered) -> Result<Annotation, String> {
    let Ordered::Mapping(fields) = value else {
        return Err(format!("it is {}, not a mapping", value.kind()));
    };
    let mut annotation = Annotation {
        kind: None,
        path: None,
        is_virtual: true,
        labels: vec![],
        description: String::new(),
        custom: Ordered::Null,
    };
    for (key, value) in fields {
        let no = |wanted: &str, value: &Ordered| format!("{key} is {}, not {wanted}", value.kind());
        match (key.as_str(), value) {
            ("type" | "path", Ordered::Null) => {}
            ("type", Ordered::Text(kind)) if is_name(&kind) => annotation.kind = Some(kind),
            ("type", value) => return Err(no("a name", &value)),
            ("path", Ordered::Text(path)) => annotation.path = Some(path),
            ("path", value) => return Err(no("a path", &value)),
            ("virtual", value) => {
                annotation.is_virtual = truth(&value).ok_or_else(|| no("true or false", &value))?;
            }
            ("labels", Ordered::List(items)) => annotation.labels = labels(&items)?,
            ("labels", value) => return Err(no("a list", &value)),
            ("description", Ordered::Text(text)) => annotation.description = text,
            ("description", value) => return Err(no("a text", &value)),
            ("custom", value) => annotation.custom = value,
            // Other keys mean nothing to GTO.
            _ => {}
        }
    }
    Ok(annotation)
}

fn labels(items: &[Ordered]) -> Result<Vec<String>, String> {
    let label = |item: &Ordered| item.as_text().filter(|text| is_name(text)).map(str::to_owned);
    let bad = |item: &Ordered| format!("a label is {} that is no name of GTO's", item.kind());
    items.iter().map(|item| label(item).ok_or_else(|| bad(item))).collect()
}

/// What GTO's reader takes for a truth value (pydantic's lax mode).
fn truth(value: &Ordered) -> Option<bool> {
    let word = match value {
        Ordered::Bool(value) => return Some(*value),
        Ordered::Number(number) => number.to_string(),
        Ordered::Text(text) => text.to_lowercase(),
        _ => return None,
    };
    match word.as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Some(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}

fn names(key: &str, value: Ordered) -> Result<Option<Vec<String>>, GtoFileError> {
    let items = match value {
        Ordered::Null => return Ok(None),
        Ordered::List(items) => items,
        other => return Err(wrong(key, "a list of names", &other)),
    };
    let name = |item: Ordered| match item {
        Ordered::Text(name) if is_name(&name) => Ok(name),
        Ordered::Text(name) => Err(GtoFileError::Shape(format!("{key}: {name:?} is no name of GTO's"))),
        other => Err(wrong(key, "a list of names", &other)),
    };
    items.into_iter().map(name).collect::<Result<_, _>>().map(Some)
}

/// An empty file says nothing.
fn mapping(value: Ordered) -> Result<Vec<(String, Ordered)>, GtoFileError> {
    match value {
        Ordered::Null => Ok(vec![]),
        Ordered::Mapping(entries) => Ok(entries),
        other => Err(GtoFileError::Shape(format!("it holds {}, not settings", other.kind()))),
    }
}

fn wrong(key: &str, wanted: &str, value: &Ordered) -> GtoFileError {
    GtoFileError::Shape(format!("{key} is {}, not {wanted}", value.kind()))
}

/// GTO's grammar of names: letters, digits, `-`, `_` and `/`, a letter or digit at both ends.
fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/');
    let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.chars().all(inner) && end(text.chars().next()) && end(text.chars().next_back())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_are_read_in_their_order_with_gtos_defaults() {
        let text = "zeta: {}\nchurn:\n  type: model\n  path: m.pkl\n  virtual: 'no'\n  labels: [b, a]\n  \
                    description: text\n  custom: {z: 1, a: [1.5, null]}\n  owner: ignored\n";
        let json: Vec<String> = parse_annotations(text)
            .unwrap()
            .into_iter()
            .map(|(name, entry)| format!("{name} {}", serde_json::to_string(&entry.unwrap()).unwrap()))
            .collect();
        assert_eq!(
            json,
            [
                r#"zeta {"type":null,"path":null,"virtual":true,"labels":[],"description":"","custom":null}"#,
                r#"churn {"type":"model","path":"m.pkl","virtual":false,"labels":["b","a"],"description":"text","custom":{"z":1,"a":[1.5,null]}}"#,
            ]
        );
    }

    #[test]
    fn a_bad_entry_takes_nothing_but_itself_away() {
        let text = "good: {}\nbad.name: {}\nsub/dir:m: {}\nnothing:\nn: {type: 5}\nl: {labels: [a.b]}\n\
                    d: {description: 5}\nv: {virtual: maybe}\n";
        let entries = parse_annotations(text).unwrap();
        let good: Vec<&str> =
            entries.iter().filter(|(_, entry)| entry.is_ok()).map(|(name, _)| name.as_str()).collect();
        assert_eq!((entries.len(), good), (8, vec!["good"]));
        assert_eq!(entries[4].1.as_ref().unwrap_err(), "type is a number, not a name");
        for text in ["", "[a]", "a: [", "a: {}\na: {}"] {
            assert!(parse_annotations(text).is_err(), "{text}");
        }
    }

    #[test]
    fn settings_are_those_that_gto_takes() {
        let read = |text: &str| parse_gto_settings(text);
        assert_eq!(read("").unwrap(), GtoSettings::default());
        let full =
            read("STAGES: [dev, eu/prod]\ntypes: [model]\nindex: meta/a.yaml\nemojis: false\n").unwrap();
        assert_eq!(full.stages, Some(vec!["dev".to_owned(), "eu/prod".to_owned()]));
        assert_eq!((full.types, full.annotations.as_str()), (Some(vec!["model".to_owned()]), "meta/a.yaml"));
        for (text, why) in [
            ("stages: dev", "stages is a text, not a list of names"),
            ("stages: [a.b]", "stages: \"a.b\" is no name of GTO's"),
            ("stage: [dev]", "stage is none of GTO's settings"),
            ("[dev]", "it holds a list, not settings"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(why), "{text}: {error}");
        }
    }
}
