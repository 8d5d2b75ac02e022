//! Files that may lie beside a model: settings, vocabularies, notes. They pass where nothing in them can make a
//! loader run code; a reference to code leaves the artifact incomplete. JSON may also be a model by itself.

use tagship_domain::front_matter::split_front_matter;

use crate::{
    booster::{CatboostJson, LightgbmJson, Xgboost},
    exported::Exported,
    findings::Findings,
    format::Format,
    imports::Imports,
    jinja,
    json::{self, Event, JsonError, Path, Visitor},
    keras, mlmodel, rules, settings,
    stream::{Section, Stop, Stream},
};

/// Templates of one file that are judged.
const MAX_TEMPLATES: usize = 64;

/// What the keys of templates have in common.
pub(crate) const TEMPLATE: &str = "chat_template";

/// Tensors of an index that are followed.
const MAX_TENSORS: usize = 500_000;

/// Keys by which loaders find code or classes.
const ACTIVE: &[&str] = &[
    settings::IMPORTED,
    "auto_map",
    "class_name",
    "custom_pipelines",
    "loader_module",
    "registered_name",
    // jsonpickle builds what these name, and calls the first two.
    "py/reduce",
    "py/repr",
    "py/function",
    "py/object",
    "py/type",
    // skops looks a class up by the name of its loader, in any archive.
    "__loader__",
];

/// Those of them by which Keras names its own layers, which are judged as such.
const KERAS: &[&str] = &["class_name", "registered_name"];

/// Whether a text file by this name is read by people or as data, never as code or settings.
pub(crate) fn is_inert_text(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or("");
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(extension, "md" | "txt" | "csv" | "tsv" | "rst")
        || (matches!(stem, "readme" | "license" | "licence" | "notice" | "copying") && extension.is_empty())
        || matches!(name.as_str(), ".gitattributes" | ".gitignore" | ".gitkeep")
}

/// Whether a text file by this name is a model's card.
pub(crate) fn is_card(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.eq_ignore_ascii_case("readme.md"))
}

/// Reads the licence that the front matter of a card states (Hugging Face's `README.md`).
pub(crate) fn read_card(head: &[u8], findings: &mut Findings) {
    let text = String::from_utf8_lossy(head);
    for line in split_front_matter(&text).0.into_iter().flat_map(str::lines) {
        if let Some(("license" | "licence", value)) = line.split_once(':') {
            findings.facts.licence(value.trim().trim_matches(['"', '\'']));
        }
    }
}

/// What a JSON file tells.
#[derive(Debug)]
pub(crate) struct Json {
    /// What kind of document it is.
    pub(crate) format: Format,
    /// Tensor and shard, where it is the index of a sharded model.
    pub(crate) weight_map: Option<Vec<(String, String)>>,
}

/// Parses a JSON file of this name to its end, says whose it is, and judges it as such.
pub(crate) fn scan_json(stream: &mut Stream<'_>, path: &str, findings: &mut Findings) -> Result<Json, Stop> {
    let size = stream.size();
    let mut document = Document::of(path);
    let parsed = json::walk(&mut json::Reader::new(Section::new(stream, size)), &mut document);
    let json = document.judge(findings);
    match parsed {
        Ok(()) => Ok(json),
        Err(JsonError::Io(error)) => Err(Stop::Io(error)),
        Err(error) => {
            findings.whole(&rules::BAD_JSON, format!("it does not parse: {error}"));
            Ok(json)
        }
    }
}

/// Everything that a JSON file may be, until its keys tell.
struct Document {
    weight_map: Option<Vec<(String, String)>>,
    /// The index has more tensors than are followed.
    unfollowed: bool,
    active: Vec<&'static str>,
    /// What the settings name for a loader to import or evaluate.
    named: Option<Findings>,
    /// Place and text of templates.
    templates: Vec<(String, u64, String)>,
    too_many: bool,
    keras: keras::Config,
    xgboost: Xgboost,
    lightgbm: LightgbmJson,
    catboost: CatboostJson,
    exported: Exported,
    imports: Imports,
}

impl Document {
    fn of(path: &str) -> Self {
        Self {
            weight_map: None,
            unfollowed: false,
            active: Vec::new(),
            named: None,
            templates: Vec::new(),
            too_many: false,
            keras: keras::Config::default(),
            xgboost: Xgboost::default(),
            lightgbm: LightgbmJson::default(),
            catboost: CatboostJson::default(),
            exported: Exported::default(),
            imports: Imports::of(path),
        }
    }

    fn judge(self, findings: &mut Findings) -> Json {
        let format = if self.keras.is_model() {
            findings.append(self.keras.into_findings());
            Format::KerasJson
        } else if self.xgboost.is_model() {
            findings.append(self.xgboost.into_findings());
            Format::XgboostJson
        } else if self.lightgbm.is_model() {
            findings.append(self.lightgbm.into_findings());
            Format::LightgbmJson
        } else if self.catboost.is_model() {
            findings.append(self.catboost.into_findings());
            Format::CatboostJson
        } else if self.weight_map.is_some() {
            Format::SafetensorsIndex
        } else {
            Format::Json
        };
        // Whatever else it may be: other loaders look at nothing but these keys.
        for key in self.active {
            if format == Format::KerasJson && KERAS.contains(&key) {
                continue;
            }
            let message = "this key can make a loader run code; what it names is not analysed";
            findings.about(&rules::ACTIVE_SIDECAR, None, key, message);
        }
        if let Some(named) = self.named {
            findings.append(named);
        }
        if self.unfollowed {
            findings.whole(&rules::ST_LIMIT, format!("an index of more than {MAX_TENSORS} tensors"));
        }
        self.imports.report(self.exported.is_program(), findings);
        self.exported.report(findings);
        for (target, at, template) in self.templates {
            jinja::check(&template, &target, Some(at), findings);
        }
        if self.too_many {
            let message = format!("more than {MAX_TEMPLATES} templates; the others were not judged");
            findings.whole(&rules::TEMPLATE_UNREAD, message);
        }
        Json { format, weight_map: self.weight_map }
    }
}

impl Visitor for Document {
    fn event(&mut self, path: &Path, event: &Event, at: u64) {
        match event {
            Event::ObjectStart if path.depth() == 1 && path.is_key("weight_map") => {
                self.weight_map = Some(Vec::new());
            }
            Event::Text(shard) if path.depth() == 2 && path.key_at(0) == "weight_map" => {
                match &mut self.weight_map {
                    Some(map) if map.len() < MAX_TENSORS => {
                        map.push((path.key().to_owned(), shard.clone()));
                    }
                    _ => self.unfollowed = true,
                }
            }
            // A template, or templates with their names in a list or an object.
            Event::Text(text) if path.is_within(TEMPLATE) => {
                if self.templates.len() < MAX_TEMPLATES {
                    self.templates.push((path.key().to_owned(), at, text.clone()));
                } else {
                    self.too_many = true;
                }
            }
            Event::Text(target) if path.key() == settings::IMPORTED || path.key().starts_with("py/") => {
                let named = self.named.get_or_insert_with(Findings::new);
                settings::judge(settings::IMPORTED, target, at, named);
            }
            _ => {}
        }
        if !matches!(event, Event::ObjectEnd | Event::ArrayEnd)
            && let Some(key) = ACTIVE.iter().find(|key| path.is_key(key))
            && !self.active.contains(key)
        {
            self.active.push(key);
        }
        self.exported.event(path, event, at);
        self.imports.event(path, event, at);
        self.keras.event(path, event, at);
        self.xgboost.event(path, event, at);
        self.lightgbm.event(path, event, at);
        self.catboost.event(path, event, at);
    }

    fn repeated(&mut self, path: &Path, key: &str, at: u64) {
        self.keras.repeated(path, key, at);
        self.xgboost.repeated(path, key, at);
        self.lightgbm.repeated(path, key, at);
        self.catboost.repeated(path, key, at);
    }
}

/// Whether a text file by this name is a template by itself.
pub(crate) fn is_template(path: &str) -> bool {
    path.rsplit('.').next().is_some_and(|extension| matches!(extension, "jinja" | "jinja2" | "j2"))
}

/// Whether a text is read by what its name says, whatever it begins like: a template begins with a brace more often than
/// not, and YAML may.
pub(crate) fn is_read_by_name(path: &str) -> bool {
    is_template(path) || settings::is_yaml(path) || mlmodel::is_descriptor(path)
}

/// Judges a template that is a file by itself.
pub(crate) fn scan_template(stream: &mut Stream<'_>, findings: &mut Findings) -> Result<(), Stop> {
    let mut bytes = Vec::new();
    stream.take(stream.size(), jinja::MAX_TEMPLATE, &mut bytes)?;
    jinja::check(&String::from_utf8_lossy(&bytes), "template", None, findings);
    Ok(())
}
