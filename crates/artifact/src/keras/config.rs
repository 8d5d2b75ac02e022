//! Looks at every object of a configuration, at any depth.

use super::{names, symbols};
use crate::{
    findings::Findings,
    json::{Event, Path, Visitor},
    rules::{self, Rule},
};

/// Classes that run or load what the file brings along.
const CODE_CLASSES: &[&str] =
    &["Lambda", "__lambda__", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer", "TFSMModel"];
/// Functions of Keras and Python that reach outside or switch checks off.
const CODE_FUNCTIONS: &[&str] =
    &["get_file", "enable_unsafe_deserialization", "load_model", "load_weights", "load_img"];
/// Settings that name a file where a list belongs (CVE-2025-12058).
const FILE_KEYS: &[&str] =
    &["vocabulary", "vocabulary_file", "idf_weights", "filepath", "filename", "fname", "origin", "url"];

/// What an object says about its class.
#[derive(Debug, Default)]
struct Object {
    class: Option<String>,
    module: Option<String>,
    registered: Option<String>,
    /// `config` where it is a text: the name of a function.
    function: Option<String>,
    at: u64,
}

/// The state of reading a configuration.
#[derive(Debug)]
pub(crate) struct Config {
    findings: Findings,
    open: Vec<Object>,
    top_class: bool,
    top_settings: bool,
    /// A graph beside the configuration holds what classes from elsewhere compute.
    with_graph: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            findings: Findings::new(),
            open: Vec::new(),
            top_class: false,
            top_settings: false,
            with_graph: false,
        }
    }
}

impl Config {
    /// Of a layer whose computation is in a graph beside it.
    pub(super) fn with_graph() -> Self {
        Self { with_graph: true, ..Self::default() }
    }

    /// Whether the document describes a model: a class with its configuration at the top.
    pub(crate) fn is_model(&self) -> bool {
        self.top_class && self.top_settings
    }

    pub(crate) fn into_findings(self) -> Findings {
        self.findings
    }

    fn text(&mut self, path: &Path, text: &str, at: u64) {
        let key = path.key();
        if let Some(object) = self.open.last_mut() {
            let field = match key {
                _ if !path.is_key(key) => None,
                "class_name" => Some(&mut object.class),
                "module" => Some(&mut object.module),
                "registered_name" => Some(&mut object.registered),
                "config" => Some(&mut object.function),
                _ => None,
            };
            if let Some(field) = field {
                *field = Some(text.to_owned());
                object.at = at;
            }
        }
        if CODE_FUNCTIONS.contains(&text) && !matches!(key, "name" | "shared_object_id") {
            self.note(&rules::KERAS_CODE, text, at, "this function reaches outside of the model");
        }
        match key {
            "function_type" | "output_shape_type" | "mask_type" if text == "lambda" => {
                self.note(&rules::KERAS_LAMBDA, key, at, "it holds the byte code of a Python function");
            }
            "function_type" if text == "function" => {
                self.note(&rules::KERAS_CUSTOM, key, at, "a Python function that is not in the file");
            }
            "node_def" => {
                for (rule, operator) in symbols::operators(text) {
                    self.note(rule, &operator, at, "a layer runs this operator of TensorFlow");
                }
            }
            "function" | "cls_ref" if path.ends_with(&["config", key]) => {
                if let Some(rule) = symbols::judge(text) {
                    self.note(rule, text, at, "a layer looks this function of TensorFlow up and calls it");
                }
            }
            _ if FILE_KEYS.contains(&key) && path.is_key(key) && !text.is_empty() => {
                let message = format!("`{key}` names a file or an address; loading the model would read it");
                self.note(&rules::KERAS_OUTSIDE, text, at, message);
            }
            _ => {}
        }
    }

    fn note(&mut self, rule: &'static Rule, target: &str, at: u64, message: impl Into<String>) {
        if self.with_graph && rule.id == rules::KERAS_CUSTOM.id {
            return;
        }
        self.findings.about(rule, Some(at), target, message);
    }

    /// What an object that is complete would make Keras look up.
    fn judge(&mut self, object: &Object) {
        let at = object.at;
        if let Some(module) = object.module.as_deref() {
            // `Lambda` of Keras 2 keeps the module of its function, without a class.
            let builtin = module == "builtins" && object.class.as_deref() == Some("function");
            if object.class.is_some() && !names::is_module(module) && !builtin {
                self.foreign(module, object);
            }
        }
        let Some(class) = object.class.as_deref() else { return };
        // Keras joins module and name and looks up what that leads to, through any module.
        let name = object.function.as_deref().filter(|_| class == "function").unwrap_or(class);
        if is_dotted(name) {
            let message = "the name leads through modules to anything in them";
            self.note(&rules::KERAS_MODULE, name, at, message);
        }
        let plain = class.strip_prefix("Custom>").filter(|class| names::is_class(class)).unwrap_or(class);
        if CODE_CLASSES.contains(&plain) {
            let rule = if plain.contains("ambda") { &rules::KERAS_LAMBDA } else { &rules::KERAS_CODE };
            self.note(rule, class, at, "loading this object runs code from the file");
        } else if plain == "function" {
            let name = object.function.as_deref().or(object.registered.as_deref()).unwrap_or("");
            if names::is_python(name) {
                let target = format!("builtins.{name}");
                self.note(
                    &rules::KERAS_MODULE,
                    &target,
                    at,
                    "loading the model looks this function of Python up",
                );
            } else if !names::is_function(name) && !CODE_FUNCTIONS.contains(&name) {
                self.note(&rules::KERAS_CUSTOM, name, at, "this is no function of Keras");
            }
        } else if !names::is_class(plain) && !names::is_marker(plain) && !is_operation(object) {
            self.note(
                &rules::KERAS_CUSTOM,
                class,
                at,
                "this is no class of Keras; its code is not in the file",
            );
        }
        if let Some(registered) = object.registered.as_deref() {
            let name = registered.rsplit('>').next().unwrap_or(registered);
            let known = names::is_class(name) || names::is_function(name) || name == class;
            let own = !registered.contains('>')
                || registered.starts_with("Keras>")
                || registered.starts_with("keras");
            if !(known && own) && plain != "function" {
                self.note(
                    &rules::KERAS_CUSTOM,
                    registered,
                    at,
                    "an object registered by code that is not in the file",
                );
            }
        }
    }

    /// A class or function of a module outside of Keras: loading imports the module.
    fn foreign(&mut self, module: &str, object: &Object) {
        let name = object.function.as_deref().or(object.class.as_deref()).unwrap_or("");
        let target = format!("{module}.{name}");
        let registered = object.registered.as_deref().is_some_and(|name| name.contains('>'));
        // An object of the training script cannot be found by import, only by registration.
        if module == "__main__" || (module == "builtins" && registered) {
            self.note(
                &rules::KERAS_CUSTOM,
                &target,
                object.at,
                "an object of the script that trained the model",
            );
        } else {
            self.note(
                &rules::KERAS_MODULE,
                &target,
                object.at,
                "loading the model imports this module and looks it up",
            );
        }
    }
}

/// A name that leads on through modules. What is registered has a package in front, which may be any text.
fn is_dotted(name: &str) -> bool {
    name.rsplit('>').next().is_some_and(|name| name.contains('.'))
}

/// Operations of `keras.ops` are classes of their own, one for each function, and only compute.
fn is_operation(object: &Object) -> bool {
    object.module.as_deref().is_some_and(|module| {
        names::is_module(module) && (module.starts_with("keras.src.ops.") || module == "keras.ops")
    })
}

impl Visitor for Config {
    fn event(&mut self, path: &Path, event: &Event, at: u64) {
        match event {
            Event::ObjectStart => {
                self.top_settings |= path.depth() == 1 && path.is_key("config");
                self.open.push(Object { at, ..Object::default() });
            }
            Event::ObjectEnd => {
                if let Some(object) = self.open.pop() {
                    self.judge(&object);
                }
            }
            Event::ArrayStart => {
                // Byte code, default values and closure of a function.
                if path.is_key("function") || path.is_key("fn") {
                    self.note(
                        &rules::KERAS_LAMBDA,
                        path.key(),
                        at,
                        "it holds the byte code of a Python function",
                    );
                }
                self.top_settings |= path.depth() == 1 && path.is_key("config");
            }
            Event::Text(text) => {
                self.top_class |= path.depth() == 1 && path.is_key("class_name");
                self.text(path, text, at);
            }
            _ => {}
        }
    }

    fn repeated(&mut self, _path: &Path, key: &str, at: u64) {
        self.note(
            &rules::KERAS_DUPLICATE,
            key,
            at,
            "an object has this key twice; readers differ in which one counts",
        );
    }
}
