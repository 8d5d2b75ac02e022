//! Distributions of scipy: part of their state is source text, which scipy executes (scipy 1.17, `rv_generic.__setstate__`).
//!
//! The text defines three functions that take arguments apart, and scipy makes it of one template and the names of the
//! shape parameters. So it is allowed where it is that template to the letter, and the state sets nothing that scipy would
//! call instead of executing it.

use super::{
    allow::Usage,
    machine::Machine,
    value::{Element, Kind, Value},
};
use crate::rules;

/// Bytes of a template that are looked at; the longest of scipy's is half of that.
pub(super) const LONGEST: usize = 1024;

/// What scipy keeps of a distribution (scipy 1.6 to 1.17): none is a method that its `__setstate__` goes through.
const ATTRIBUTES: &[&str] = &[
    "__doc__",
    "_ctor_param",
    "_parse_arg_template",
    "_random_state",
    "_stats_has_moments",
    "_support",
    "a",
    "b",
    "badvalue",
    "extradoc",
    "inc",
    "moment_tol",
    "moment_type",
    "name",
    "numargs",
    "parameterization",
    "shapes",
    "vecentropy",
    "xtol",
];

/// Whether a text is what scipy executes to take a distribution's arguments apart, with nothing in it but names.
pub(super) fn is_parser(text: &str) -> bool {
    let shapes = text.strip_prefix("\ndef _parse_args(self, ").and_then(|rest| rest.split_once(" loc=0"));
    let Some((shapes, _)) = shapes else { return false };
    let named =
        shapes.is_empty() || shapes.strip_suffix(", ").is_some_and(|shapes| shapes.split(", ").all(is_name));
    named
        && [("loc=0, scale=1", "loc, scale"), ("loc=0", "loc, 1")].iter().any(|(taken, given)| {
            text == format!(
                "\ndef _parse_args(self, {shapes} {taken}):\n    return ({shapes}), {given}\n\
                 \ndef _parse_args_rvs(self, {shapes} {taken}, size=None):\n    \
                 return self._argcheck_rvs({shapes} {given}, size=size)\n\
                 \ndef _parse_args_stats(self, {shapes} {taken}, moments='mv'):\n    \
                 return ({shapes}), {given}, moments\n"
            )
        })
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Machine<'_, '_> {
    /// Whether a distribution's state makes scipy execute its own template, and nothing else.
    pub(super) fn is_distribution_state(&self, state: Value) -> bool {
        // Another reading of the stream could give it another text.
        if !self.heap.is(state, Kind::Dict) || self.run.plain.is_some() {
            return false;
        }
        let Some(items) = self.heap.recall(state) else { return false };
        let mut parsers = 0;
        let known = items.chunks_exact(2).all(|item| {
            let [Value::Text(key), value] = *item else { return false };
            match self.texts.get(key) {
                "_parse_arg_template" => {
                    parsers += 1;
                    self.is_parser(value)
                }
                "numargs" | "moment_type" => matches!(value, Value::Int(_)),
                key => ATTRIBUTES.contains(&key),
            }
        });
        known && parsers == 1
    }

    /// Takes over the state of a `numpy.vectorize`, where its function is a method that a distribution keeps.
    pub(super) fn finish(&mut self, target: Value, state: Value) {
        let items = self.heap.recall(state).filter(|_| self.heap.is(state, Kind::Dict)).unwrap_or_default();
        let (mut some, mut all) = (false, true);
        for item in items.chunks_exact(2) {
            if matches!(item[0], Value::Text(key) if self.texts.get(key) == "pyfunc") {
                let class = self.heap.class_of(item[1]).map(|class| self.globals[class as usize].usage);
                some = true;
                all &= class == Some(Some(Usage::Attribute));
            }
        }
        let Value::Object(id) = target else { return };
        let before = std::mem::replace(&mut self.heap.get_mut(id).element, Element::Object);
        if !(some && all) || self.run.plain.is_some() {
            let message = "its state is not that of a method that a distribution of scipy keeps";
            self.note_about(&rules::BAD_BUILD, "numpy.vectorize", message);
        } else if before == Element::Unknown {
            self.unfinished = self.unfinished.saturating_sub(1);
        }
    }

    /// Notes where a `numpy.vectorize` was made and never given a function that is checked.
    pub(super) fn check_finished(&mut self) {
        if std::mem::take(&mut self.unfinished) > 0 {
            let message = "loading the file makes this without the function that scipy's distributions keep";
            self.note_about(&rules::UNLISTED_GLOBAL, "numpy.vectorize", message);
        }
    }

    fn is_parser(&self, value: Value) -> bool {
        match value {
            Value::Parser => true,
            Value::Text(text) => is_parser(self.texts.get(text)),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_parser;

    #[test]
    fn only_the_template_with_names_in_it_is_scipys() {
        let discrete = "\ndef _parse_args(self, low, high,  loc=0):\n    return (low, high, ), loc, 1\n\n\
             def _parse_args_rvs(self, low, high,  loc=0, size=None):\n    \
             return self._argcheck_rvs(low, high,  loc, 1, size=size)\n\n\
             def _parse_args_stats(self, low, high,  loc=0, moments='mv'):\n    \
             return (low, high, ), loc, 1, moments\n";
        let continuous = discrete
            .replace("low, high, ", "")
            .replace("loc=0", "loc=0, scale=1")
            .replace("loc, 1", "loc, scale");
        assert!(is_parser(discrete));
        assert!(is_parser(&continuous));
        for (from, to) in [
            ("low", "low=print(1)"),
            ("high", "high\n"),
            ("high", "[]"),
            ("loc, 1, moments\n", "loc, 1, moments\nimport os\n"),
            ("size=size", "size=eval(size)"),
            ("low, high", "low,, high"),
            ("loc=0", "loc=1"),
        ] {
            assert!(!is_parser(&discrete.replace(from, to)), "{from} {to}");
        }
        assert!(!is_parser(""));
    }
}
