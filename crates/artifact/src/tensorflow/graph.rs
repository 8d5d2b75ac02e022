//! Graphs, functions and nodes.

use super::{known, operators, parser::Parser, paths::Node, tensor};
use crate::{
    protobuf::{Messages as _, Wire},
    rules,
    stream::Stop,
};

/// Attributes that say where an operator reads or writes.
const PLACES: &[&str] =
    &["debug_ops_spec", "debug_urls", "descriptor_source", "filename", "output_stream", "vocab_file"];
/// Descriptions of messages that the program or the model itself brings (`DecodeProtoV2`), beside none.
const BUILT_IN: &[&str] = &["local://", "bytes://"];

impl Parser<'_, '_> {
    /// The fields of `GraphDef`, whether it is a file or a part of one.
    pub(super) fn graph_field(&mut self, number: u32, value: Wire) -> Result<(), Stop> {
        match (number, value) {
            (1, Wire::Bytes(length)) => self.node(length)?,
            (2, Wire::Bytes(length)) => self.library(length)?,
            (3, Wire::Varint(_)) | (4 | 5, Wire::Bytes(_)) => {}
            _ => self.unknown("GraphDef", number),
        }
        Ok(())
    }

    fn library(&mut self, length: u64) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => parser.function(length)?,
                (2 | 3, Wire::Bytes(_)) => {}
                _ => parser.unknown("FunctionDefLibrary", number),
            }
            Ok(())
        })
    }

    fn function(&mut self, length: u64) -> Result<(), Stop> {
        let mut interfaces = 0_u32;
        let around = std::mem::take(&mut self.scope);
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => {
                    interfaces = interfaces.saturating_add(1);
                    if interfaces > 1 {
                        let at = parser.stream.position();
                        parser.findings.at(&rules::TF_GRAPH, at, "a function with two signatures");
                    }
                    parser.interface(length)?;
                }
                (3, Wire::Bytes(length)) => parser.node(length)?,
                (5, Wire::Bytes(length)) => parser.attribute(length)?,
                (4 | 6..=8, Wire::Bytes(_)) => {}
                _ => parser.unknown("FunctionDef", number),
            }
            Ok(())
        })?;
        let function = std::mem::replace(&mut self.scope, around);
        self.functions.push(function);
        Ok(())
    }

    /// The `OpDef` by which a function is called; its fields beside the name only describe it.
    fn interface(&mut self, length: u64) -> Result<(), Stop> {
        let mut names = vec![];
        self.nested(length, |parser, number, value| {
            if let (2, Wire::Bytes(length)) = (number, value) {
                parser.argument(length)?;
            }
            if let (1, Wire::Bytes(length)) = (number, value) {
                names.push(parser.text(length)?);
                if names.len() > 1 {
                    // Readers keep the last one; the others would hide operators.
                    names.clear();
                    let at = parser.stream.position();
                    parser.findings.at(&rules::TF_GRAPH, at, "a function with two names");
                }
            }
            Ok(())
        })?;
        names.pop().map_or(Ok(()), |name| {
            self.scope.name.clone_from(&name);
            self.keep(|calls| {
                calls.functions.insert(name);
            })
        })
    }

    /// The name of an argument of a function.
    fn argument(&mut self, length: u64) -> Result<(), Stop> {
        let mut name = String::new();
        self.nested(length, |parser, number, value| {
            if let (1, Wire::Bytes(length)) = (number, value) {
                name = parser.text(length)?;
            }
            Ok(())
        })?;
        self.keep_argument(name)
    }

    pub(super) fn node(&mut self, length: u64) -> Result<(), Stop> {
        self.nodes += 1;
        self.node = Node::default();
        let mut operator = String::new();
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => parser.node.name = parser.text(length)?,
                (2, Wire::Bytes(length)) => operator = parser.text(length)?,
                (3, Wire::Bytes(length)) => {
                    let input = parser.text(length)?;
                    parser.node.inputs.push(input);
                }
                (5, Wire::Bytes(length)) => parser.attribute(length)?,
                (4 | 6 | 7, Wire::Bytes(_)) => {}
                _ => parser.unknown("NodeDef", number),
            }
            Ok(())
        })?;
        if operator.is_empty() {
            self.findings.at(&rules::TF_GRAPH, self.stream.position(), "a node without an operator");
        }
        let node = std::mem::take(&mut self.node);
        self.keep_node(&operator, node)?;
        self.operator(&operator)
    }

    /// Notes an operator, or a function of that name, that does more than compute, or may.
    fn operator(&mut self, name: &str) -> Result<(), Stop> {
        let at = self.stream.position();
        if let Some(rule) = operators::judge(name) {
            self.findings.about(rule, Some(at), name, "running the model runs this operator");
        } else if !name.is_empty() && !known::computes(name) && !self.calls.unknown.contains_key(name) {
            self.keep(|calls| {
                calls.unknown.insert(name.to_owned(), at);
            })?;
        }
        Ok(())
    }

    /// An entry of a map of attributes.
    fn attribute(&mut self, length: u64) -> Result<(), Stop> {
        let mut key = String::new();
        let mut valued = false;
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => {
                    key = parser.text(length)?;
                    if valued {
                        let message = "an attribute whose name stands behind its value was not judged";
                        parser.findings.about(
                            &rules::TF_LIMIT,
                            Some(parser.stream.position()),
                            &key,
                            message,
                        );
                    }
                }
                (2, Wire::Bytes(length)) => {
                    valued = true;
                    parser.value(length, &key)?;
                }
                _ => parser.unknown("NodeDef.attr", number),
            }
            Ok(())
        })
    }

    fn value(&mut self, length: u64, key: &str) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => parser.list(length)?,
                (2, Wire::Bytes(length)) if PLACES.contains(&key) => {
                    let place = parser.text(length)?;
                    parser.place(key, &place);
                }
                // What a text is put together with is not followed.
                (2, Wire::Bytes(1..)) if key == "separator" => parser.node.alters = true,
                (9, Wire::Bytes(_)) if PLACES.contains(&key) => {
                    let message = "whoever calls the function says where this operator reads or writes";
                    parser.findings.about(&rules::TF_LIMIT, Some(parser.stream.position()), key, message);
                }
                (9, Wire::Bytes(_)) => parser.node.alters |= key == "separator",
                (2 | 7, Wire::Bytes(_)) | (3 | 5 | 6, Wire::Varint(_)) | (4, Wire::Fixed(4, _)) => {}
                (8, Wire::Bytes(length)) => tensor::check(parser, length)?,
                (10, Wire::Bytes(length)) => parser.named_function(length)?,
                _ => parser.unknown("AttrValue", number),
            }
            Ok(())
        })
    }

    /// An attribute that says where an operator reads or writes.
    fn place(&mut self, key: &str, place: &str) {
        let message = match key {
            "vocab_file" | "filename" if !place.is_empty() => "an operator reads this file",
            "descriptor_source"
                if !place.is_empty() && !BUILT_IN.iter().any(|own| place.starts_with(own)) =>
            {
                "an operator reads this file"
            }
            "output_stream" | "debug_urls" | "debug_ops_spec" if place.contains("://") => {
                "an operator writes to this place"
            }
            _ => return,
        };
        self.findings.about(&rules::TF_OUTSIDE, Some(self.stream.position()), place, message);
    }

    fn list(&mut self, length: u64) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (8, Wire::Bytes(length)) => tensor::check(parser, length)?,
                (9, Wire::Bytes(length)) => parser.named_function(length)?,
                (2..=7, _) => {}
                _ => parser.unknown("AttrValue.ListValue", number),
            }
            Ok(())
        })
    }

    /// A function by name is a call; TensorFlow looks among the operators too.
    fn named_function(&mut self, length: u64) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => {
                    let name = parser.text(length)?;
                    parser.operator(&name)?;
                    parser.node.callees.push(name);
                }
                (2, Wire::Bytes(length)) => parser.attribute(length)?,
                _ => parser.unknown("NameAttrList", number),
            }
            Ok(())
        })
    }
}
