//! Every node of the schema, at any depth, held against the types that plain models are made of.

use std::io::Read;

use tagship_domain::addition::GlobalUse;

use super::{
    ids::Id,
    members::Members,
    models::Models,
    value::{Content, Ended, Inside, Value},
};
use crate::{
    findings::Findings,
    json::{self, Event, JsonError, Path, Visitor},
    pickle::{self, Standing, Trust},
    rules,
    stream::Stop,
};

/// Kinds of nodes that build a value out of data and the type that they name.
const NODES: &[&str] = &[
    "BytearrayNode",
    "BytesNode",
    "CachedNode",
    "DTypeNode",
    "DefaultDictNode",
    "DictNode",
    "FunctionNode",
    "JsonNode",
    "ListNode",
    "LossNode",
    "MaskedArrayNode",
    "NdArrayNode",
    "ObjectNode",
    "OrderedDictNode",
    "PartialNode",
    "QuantileForestNode",
    "RandomGeneratorNode",
    "RandomStateNode",
    "SetNode",
    "SliceNode",
    "SparseMatrixNode",
    "TreeNode",
    "TupleNode",
    "TypeNode",
];

/// Kinds of nodes that name a type or function and make nothing of it.
pub(super) const NAMING: &[&str] = &["FunctionNode", "TypeNode"];

/// Types that a kind of node builds in its own way, whatever a pickle may do with them.
const OWN_TYPES: &[(&str, &str, &str)] = &[
    ("RandomGeneratorNode", "numpy.random._generator", "Generator"),
    ("RandomStateNode", "numpy.random.mtrand", "RandomState"),
    ("TreeNode", "sklearn.tree._tree", "Tree"),
];

/// Types of functions, which files of protocol 0 name beside the function: of Python and numpy, or in its own module.
const FUNCTION_TYPES: &[&str] =
    &["_ArrayFunctionDispatcher", "builtin_function_or_method", "function", "ufunc"];

/// Builders of the standard library that only take parts of values.
const OPERATORS: &[&str] = &["itemgetter"];

/// An object or a list of the document that is open, as the node that it may turn out to be.
#[derive(Debug, Default)]
pub(super) struct Node {
    loader: Option<String>,
    module: Option<String>,
    class: Option<String>,
    /// `content.module_path` and `content.function` of a function.
    path: Option<String>,
    function: Option<String>,
    /// The member that it is kept in, and how.
    file: Option<String>,
    kind: Option<String>,
    pub(super) id: Id,
    pub(super) inside: Inside,
    pub(super) at: u64,
}

/// Characters of a name that are kept. None that is known has as many.
const MAX_NAME: usize = 1024;

/// A name as far as it is kept.
fn name(text: &str) -> String {
    if text.len() <= MAX_NAME { text.to_owned() } else { text.chars().take(MAX_NAME).collect() }
}

impl Node {
    pub(super) fn loader(&self) -> &str {
        self.loader.as_deref().unwrap_or("")
    }

    /// Module and name of its type.
    pub(super) fn class(&self) -> (&str, &str) {
        (self.module.as_deref().unwrap_or(""), self.class.as_deref().unwrap_or(""))
    }

    pub(super) fn names(&self, module: &str, class: &str) -> bool {
        self.class() == (module, class)
    }

    pub(super) fn file(&self) -> &str {
        self.file.as_deref().unwrap_or("")
    }

    pub(super) fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or("")
    }

    /// What findings call it.
    pub(super) fn target(&self) -> String {
        let (module, class) = self.class();
        format!("{module}.{class}")
    }
}

struct Schema<'f> {
    findings: &'f mut Findings,
    trust: Trust<'f>,
    models: Models<'f>,
    open: Vec<Node>,
    top: bool,
    protocol: bool,
}

/// Judges the member `schema.json`, which stands behind these others.
pub(crate) fn scan(
    text: impl Read,
    trust: Trust<'_>,
    members: &Members,
    findings: &mut Findings,
) -> Result<(), Stop> {
    let models = Models::new(members);
    let mut schema = Schema { findings, trust, models, open: Vec::new(), top: false, protocol: false };
    let read = json::walk(&mut json::Reader::new(text), &mut schema);
    schema.models.finish(schema.findings);
    let complete = schema.top && schema.protocol;
    match read {
        Ok(()) if complete => {}
        Ok(()) => {
            findings
                .whole(&rules::SKOPS_SCHEMA, "the schema has no protocol, or names no type for the model");
        }
        Err(JsonError::Io(error)) => return Err(Stop::Io(error)),
        Err(error) => findings.whole(&rules::SKOPS_SCHEMA, format!("the schema does not parse: {error}")),
    }
    Ok(())
}

impl Schema<'_> {
    /// Judges what has ended and hands it to what is around it.
    fn end(&mut self, mut node: Node, path: &Path) {
        self.judge(&node);
        // What has no loader and a number stands for another node.
        let ended = if node.loader.is_some() || node.id != Id::None {
            Ended::Node(self.models.node(&mut node, self.findings))
        } else {
            Ended::Plain(node.inside)
        };
        if let Some(outer) = self.open.last_mut() {
            let key = path.key();
            outer.inside.take(path.is_key(key).then_some(key), ended);
        }
    }

    fn identify(&mut self, path: &Path, id: Id) {
        if let Some(node) = self.open.last_mut().filter(|_| path.is_key("__id__")) {
            node.id = id;
        }
    }

    fn judge(&mut self, node: &Node) {
        let Some(loader) = node.loader.as_deref() else { return };
        let (Some(module), Some(class)) = (node.module.as_deref(), node.class.as_deref()) else {
            let message = "a node that does not name its type";
            self.findings.about(&rules::SKOPS_SCHEMA, Some(node.at), loader, message);
            return;
        };
        // Of protocol 0, what the content of a function names is imported, and since then what the node itself does.
        if loader == "FunctionNode" && (node.path.is_some() || node.function.is_some()) {
            let (path, function) = (node.path.as_deref(), node.function.as_deref());
            self.judge_name(loader, path.unwrap_or(module), function.unwrap_or(class), node.at);
            let is_usual = matches!(module, "builtins" | "numpy") || path == Some(module);
            if is_usual && FUNCTION_TYPES.contains(&class) {
                return;
            }
        }
        self.judge_name(loader, module, class, node.at);
    }

    fn judge_name(&mut self, loader: &str, module: &str, class: &str, place: u64) {
        let at = Some(place);
        let target = format!("{module}.{class}");
        let operator = loader == "OperatorFuncNode" && matches!(module, "operator" | "_operator");
        if operator && OPERATORS.contains(&class) {
            return;
        }
        if operator || loader == "MethodNode" {
            let message = format!("a {loader} looks up attributes or calls methods by name");
            self.findings.about(&rules::SKOPS_GADGET, at, target, message);
        } else if pickle::is_dangerous(module, class) {
            self.findings.about(&rules::SKOPS_GADGET, at, target, "loading the model reaches this");
        } else {
            let known = self.is_own(loader, module, class) || self.lets_through(loader, module, class, place);
            if known && !NODES.contains(&loader) {
                self.findings.about(&rules::SKOPS_TYPE, at, loader, "this kind of node is not known");
            }
        }
    }
}

impl Schema<'_> {
    /// Whether skops makes this type by this kind of node in its own way, and its library is not left out.
    fn is_own(&self, loader: &str, module: &str, class: &str) -> bool {
        OWN_TYPES.contains(&(loader, module, class)) && self.trust.takes_part(module)
    }

    /// Whether a type may be named; notes where it may not, and where only the team's policy lets it through.
    fn lets_through(&mut self, loader: &str, module: &str, class: &str, at: u64) -> bool {
        let target = format!("{module}.{class}");
        let (module, class) = pickle::normalise(module, class);
        let (rule, message, through) = match self.trust.standing(&module, class) {
            Standing::Listed(usage) if !usage.needs_pickle() => return true,
            Standing::Listed(_) => {
                let message = "this type is harmless only by checks that are made in pickles";
                (&rules::SKOPS_TYPE, message.to_owned(), false)
            }
            Standing::Added(_, addition)
                if addition.call == GlobalUse::Reference && !NAMING.contains(&loader) =>
            {
                let message =
                    "the policy lets this type be named, and a node of this kind makes an instance of it";
                (&rules::SKOPS_TYPE, message.to_owned(), false)
            }
            Standing::Added(_, addition) => (&rules::ADDED_GLOBAL, pickle::added(addition), true),
            Standing::LeftOut(bundle) => (&rules::BUNDLE_REFUSED, pickle::left_out(bundle), false),
            Standing::Ended(day) => (
                &rules::SKOPS_TYPE,
                format!("this type is not on the allow-list (its addition ended on {day})"),
                false,
            ),
            Standing::Unlisted => {
                (&rules::SKOPS_TYPE, "this type is not on the allow-list".to_owned(), false)
            }
        };
        self.findings.about(rule, Some(at), target, message);
        through
    }
}

impl Visitor for Schema<'_> {
    fn event(&mut self, path: &Path, event: &Event, at: u64) {
        match event {
            Event::ObjectStart | Event::ArrayStart => self.open.push(Node { at, ..Node::default() }),
            Event::ObjectEnd | Event::ArrayEnd => {
                if let Some(node) = self.open.pop() {
                    self.end(node, path);
                }
            }
            Event::Text(text) => {
                if path.depth() == 1 && path.is_key("_skops_version") {
                    self.findings.facts.state("skops", text);
                }
                self.top |= path.depth() == 1 && path.is_key("__loader__");
                let inner = self.open.len();
                // The content of a function is an object of its own.
                let outer =
                    if path.ends_with(&["content", path.key()]) { inner.checked_sub(2) } else { None };
                if let Some(node) = outer.and_then(|at| self.open.get_mut(at)) {
                    match path.key() {
                        "module_path" => node.path = Some(name(text)),
                        "function" => node.function = Some(name(text)),
                        _ => {}
                    }
                }
                if let Some(node) = self.open.last_mut() {
                    let field = match path.key() {
                        _ if !path.is_key(path.key()) => return,
                        "__loader__" => &mut node.loader,
                        "__module__" => &mut node.module,
                        "__class__" => &mut node.class,
                        "file" => &mut node.file,
                        "type" => &mut node.kind,
                        "content" => {
                            return node.inside.content = Some(Content::Json(Value::of_json(text)));
                        }
                        "__id__" => return node.id = Id::Odd,
                        _ => return,
                    };
                    *field = Some(name(text));
                    if path.key().starts_with("__") {
                        node.at = at;
                    }
                }
            }
            Event::Number(number) => {
                self.protocol |= path.depth() == 1 && path.is_key("protocol");
                self.identify(path, Id::Number(*number));
            }
            Event::Bool(_) => self.identify(path, Id::Odd),
            Event::Null | Event::Key(_) => {}
        }
    }

    fn repeated(&mut self, _path: &Path, key: &str, at: u64) {
        let message = "a node has this key twice; readers differ in which one counts";
        // The keys of a dictionary of the model are keys of its content, and may not repeat either.
        self.findings.about(&rules::SKOPS_SCHEMA, Some(at), key, message);
    }
}
