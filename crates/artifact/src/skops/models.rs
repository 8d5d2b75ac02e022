//! Trees, support vectors and sparse matrices of an archive: what the schema says of them, held against the members that it names.
//! Native code follows their numbers without a check when the model predicts, and skops hands them on as they are. What is not
//! followed is never called sound.

use super::{
    ids::{Ids, Told},
    members::{MAX_NAME, Members},
    schema::{NAMING, Node},
    value::{Content, Inside, Part, Value},
};
use crate::{
    findings::Findings,
    pickle::{self, Asks, Attributes, Learnt, Matrix, Metric, Owner, Stored, Tree},
    rules,
};

/// How many numbers a set of categories of a histogram booster has.
const SET_NUMBERS: i32 = 8;
/// What is known of the models so far.
#[derive(Debug)]
pub(super) struct Models<'m> {
    members: &'m Members,
    ids: Ids,
    /// A node stands for another one that is not known.
    refers: bool,
    /// There is something to follow.
    follows: bool,
}

/// What is wrong with a part of a model.
pub(super) enum Flaw {
    /// Its numbers lead outside.
    Outside(&'static str),
    Unknown(&'static str),
}

impl<'m> Models<'m> {
    pub(super) fn new(members: &'m Members) -> Self {
        Self { members, ids: Ids::default(), refers: false, follows: false }
    }

    /// What a node makes that has ended.
    pub(super) fn node(&mut self, node: &mut Node, findings: &mut Findings) -> Part {
        let inside = std::mem::take(&mut node.inside);
        let mut asks = inside.asks;
        let made = self.make(node, inside, &mut asks);
        self.follows |= asks.any();
        let value = made.unwrap_or_else(|flaw| {
            let (rule, message) = match flaw {
                Flaw::Outside(message) => (&rules::SKOPS_NUMBERS, message),
                Flaw::Unknown(message) => (&rules::SKOPS_LIMIT, message),
            };
            findings.about(rule, Some(node.at), node.target(), message);
            Value::Other
        });
        let part = Part { value, asks };
        let told = if node.loader() == "CachedNode" { Told::Unknown } else { self.ids.tell(node.id, &part) };
        match told {
            Told::Itself => {}
            Told::Another => {
                let message = "another node of the same number is something else; loading takes one for both";
                findings.about(&rules::SKOPS_SCHEMA, Some(node.at), node.target(), message);
            }
            Told::Unknown => self.refers = true,
        }
        part
    }

    fn make(&mut self, node: &Node, inside: Inside, asks: &mut Asks) -> Result<Value, Flaw> {
        let is_builtin = |name: &str| node.names("builtins", name);
        match node.loader() {
            "JsonNode" => Ok(match inside.content {
                Some(Content::Json(value)) => value,
                _ => Value::Other,
            }),
            "TypeNode" if is_builtin("str") => Ok(Value::KeyType),
            loader if NAMING.contains(&loader) => Ok(Value::Other),
            "ListNode" if is_builtin("list") => Ok(plain(inside.content).list()),
            "TupleNode" if is_builtin("tuple") => Ok(plain(inside.content).tuple()),
            "DictNode" if is_builtin("dict") => Ok(plain(inside.content).dictionary(&inside.key_types)),
            "NdArrayNode" if node.kind() == "numpy" => Ok(self.array(node)),
            "SparseMatrixNode" => self.sparse(node),
            // Whatever class it names.
            "TreeNode" => self.tree(&inside, asks),
            // The class that it makes is not told.
            "QuantileForestNode" if !node.class().0.starts_with("quantile_forest.") => {
                Err(Flaw::Unknown("a forest whose samples are not followed"))
            }
            "CachedNode" => Ok(Value::Other),
            loader => self.object(node, loader, &inside, asks),
        }
    }

    fn array(&self, node: &Node) -> Value {
        let file = node.file();
        if node.names("numpy", "ndarray") && file.len() <= MAX_NAME {
            return Value::Array(file.to_owned());
        }
        let width = if node.names("numpy", "int64") { 8 } else { 4 };
        let is_scalar = width == 8 || node.names("numpy", "int32");
        let number = self.members.array(file).and_then(|array| array.scalar(width));
        number.filter(|_| is_scalar).map_or(Value::Other, Value::Number)
    }

    fn sparse(&mut self, node: &Node) -> Result<Value, Flaw> {
        self.follows = true;
        match self.members.sparse(node.file()).filter(|_| node.kind() == "scipy") {
            Some(Stored::Rows(_)) => Ok(Value::Sparse(node.file().to_owned())),
            Some(Stored::Sound) => Ok(Value::Other),
            Some(Stored::Outside) => Err(Flaw::Outside(
                "indices that lead outside of the matrix; its library would read or write other memory",
            )),
            None => Err(Flaw::Unknown("a sparse matrix whose indices are not followed")),
        }
    }

    fn known(&self, state: &Value, name: &str) -> Option<&pickle::Array> {
        self.array_of(state.attribute(name)?)
    }

    fn tree(&mut self, inside: &Inside, asks: &mut Asks) -> Result<Value, Flaw> {
        self.follows = true;
        let state = state(inside);
        let features = match &inside.arguments {
            Value::Tuple(arguments) => arguments.first().and_then(Value::number),
            _ => None,
        };
        let told = state.attribute("node_count").and_then(Value::number);
        let (nodes, features, told) = (self.known(state, "nodes"), features, told);
        let tree = nodes.zip(features).zip(told);
        let tree = tree.and_then(|((nodes, features), told)| Tree::decision(nodes, features, told));
        let tree = tree.ok_or(Flaw::Unknown("a tree whose nodes are not followed"))?;
        follow(tree, asks)
    }

    fn predictor(&mut self, state: &Value, asks: &mut Asks) -> Result<Value, Flaw> {
        self.follows = true;
        let sets = self.known(state, "raw_left_cat_bitsets").and_then(|sets| sets.rows_of(SET_NUMBERS));
        let tree = self.known(state, "nodes").and_then(|nodes| Tree::predictor(nodes, sets.unwrap_or(0)));
        follow(tree.ok_or(Flaw::Unknown("a booster's tree whose nodes are not followed"))?, asks)
    }

    /// What a node makes that sets attributes of an instance, or builds something in another way.
    fn object(&mut self, node: &Node, loader: &str, inside: &Inside, asks: &mut Asks) -> Result<Value, Flaw> {
        let (module, class) = node.class();
        let owner = Owner::of(module).filter(|_| asks.any());
        let (is_predictor, has_vectors) =
            (pickle::is_predictor(module, class), pickle::has_vectors(module, class));
        let is_of_neighbours = pickle::is_tree_of_neighbours(module, class);
        let is_unknown = pickle::is_tree(module, class) || pickle::is_sparse(module);
        let is_followed = owner.is_some() || is_predictor || has_vectors || is_of_neighbours;
        self.follows |= is_followed || is_unknown;
        if is_unknown || is_followed && loader != "ObjectNode" {
            return Err(Flaw::Unknown("an object that is made in a way that is not followed"));
        }
        let state = state(inside);
        if is_predictor {
            return self.predictor(state, asks);
        }
        if has_vectors {
            return self.vectors(class, state);
        }
        if is_of_neighbours {
            return self.neighbours(module, class, state);
        }
        if loader == "ObjectNode" && Metric::is_one(module, class) {
            return Ok(self.metric(module, class, state).map_or(Value::Other, Value::Metric));
        }
        if loader == "ObjectNode" && pickle::is_mapper(module, class) {
            let known = self.known(state, "is_categorical_").and_then(pickle::categories);
            return Ok(known.map_or(Value::Other, Value::Categories));
        }
        owner.map_or(Ok(Value::Other), |owner| own(owner, state, asks))
    }

    fn vectors(&self, class: &str, state: &Value) -> Result<Value, Flaw> {
        let unknown = Flaw::Unknown("support vectors that are not followed");
        let Value::Attributes(attributes) = state else { return Err(unknown) };
        let mut learnt = Learnt::default();
        for (name, value) in attributes {
            learnt.take(name, value, &self);
        }
        match learnt.is_sound(class) {
            Some(true) => Ok(Value::Other),
            Some(false) => Err(Flaw::Outside(
                "support vectors whose sizes do not fit each other; predictions would read other memory",
            )),
            None => Err(unknown),
        }
    }

    pub(super) fn array_of(&self, value: &Value) -> Option<&pickle::Array> {
        match value {
            Value::Array(member) => self.members.known(member),
            _ => None,
        }
    }

    /// Notes what makes all of it unknown.
    pub(super) fn finish(&self, findings: &mut Findings) {
        if self.refers && self.follows {
            let message = "nodes that stand for others, or more nodes than are told apart";
            findings.whole(&rules::SKOPS_LIMIT, message);
        }
    }
}

impl<'v> Attributes for &'v Models<'_> {
    type Value = &'v Value;

    fn array(&self, value: &'v Value) -> Option<&pickle::Array> {
        self.array_of(value)
    }

    fn matrix(&self, value: &'v Value) -> Option<Matrix> {
        match value {
            Value::Sparse(member) => self.members.matrix(member),
            _ => None,
        }
    }

    fn first_size(&self, value: &'v Value) -> Option<i64> {
        match value {
            Value::Tuple(sizes) => sizes.first()?.number().filter(|rows| *rows >= 0),
            _ => None,
        }
    }

    fn text(&self, value: &'v Value) -> Option<&str> {
        match value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// What stands under `content`, where that is no node.
fn plain(content: Option<Content>) -> Inside {
    match content {
        Some(Content::Plain(inside)) => *inside,
        _ => Inside::default(),
    }
}

/// The state that an object is given.
fn state(inside: &Inside) -> &Value {
    match &inside.content {
        Some(Content::Node(state)) => state,
        _ => &Value::Other,
    }
}

/// Takes in what a tree asks for.
fn follow(tree: Tree, asks: &mut Asks) -> Result<Value, Flaw> {
    *asks = asks.and(tree.asks);
    if tree.sound {
        return Ok(Value::Other);
    }
    Err(Flaw::Outside(
        "nodes of a tree that lead outside of it, back, or to a feature or category that there is not; \
            predictions would read other memory, or never end",
    ))
}

/// Holds what the trees of a model ask for against the features that it takes.
fn own(owner: Owner, state: &Value, asks: &mut Asks) -> Result<Value, Flaw> {
    // By another name, as models of before skops told it, scikit-learn does not look.
    let features = state.attribute("n_features_in_").and_then(Value::number);
    let asked = *asks;
    let known = match state.attribute("_bin_mapper") {
        Some(Value::Categories(known)) => Some(*known),
        _ => None,
    };
    if owner == Owner::Whole {
        *asks = Asks::default();
    }
    match features {
        Some(features) if i64::from(asked.features) <= features => {}
        Some(_) => {
            return Err(Flaw::Outside(
                "its trees ask for a feature that its input does not have; predictions would read other memory",
            ));
        }
        None => return Err(Flaw::Unknown("it does not tell how many features its trees are asked about")),
    }
    match known {
        _ if asked.categories == 0 || owner == Owner::Single => Ok(Value::Other),
        Some(known) if asked.categories <= known => Ok(Value::Other),
        Some(_) => Err(Flaw::Outside(
            "its trees ask for categories that it does not know; predictions would read other memory",
        )),
        None => Err(Flaw::Unknown("it does not tell which features are categories, for which its trees ask")),
    }
}
