//! A `PromQL` query with a place for the version or its backend, and these put there as text and nothing else.

use tagship_domain::Version;
use tagship_ports::{Backend, Question};

use super::super::template::interval;

/// What stands for the version.
pub(super) const PLACEHOLDER: &str = "{{arm}}";
/// What stands for the name of the version's backend.
const BACKEND: &str = "{{backend}}";
/// What stands for the namespace of the version's backend.
const NAMESPACE: &str = "{{namespace}}";
/// What a query may have inside of quoted label values; of two versions only one for a value.
const PLACES: [&str; 5] = [PLACEHOLDER, BACKEND, NAMESPACE, "{{candidate}}", "{{stable}}"];
/// What stands for the length of the look, anywhere.
const INTERVAL: &str = "{{interval}}";
/// Longest query in bytes; servers before the store refuse longer addresses.
const LONGEST: usize = 4096;
/// Functions that turn a counter into something that is none.
const NO_COUNTS: [&str; 7] = ["rate", "irate", "increase", "delta", "idelta", "deriv", "histogram_quantile"];

/// A checked query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    text: String,
}

/// What a question is about: a version, and its backend where a query has a place for that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arm<'a> {
    pub(super) version: &'a Version,
    pub(super) backend: Option<&'a Backend>,
}

impl Arm<'_> {
    /// What stands at a place; nothing where the place is about something else.
    fn at(&self, place: &str) -> Option<String> {
        match place {
            PLACEHOLDER => Some(self.version.to_string()),
            BACKEND => self.backend.map(|backend| backend.name.clone()),
            NAMESPACE => self.backend.map(|backend| backend.namespace.clone()),
            _ => None,
        }
    }
}

/// Whether a text has a place for a backend.
pub(super) fn has_backend(text: &str) -> bool {
    text.contains(BACKEND) || text.contains(NAMESPACE)
}

/// Where a placeholder stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Literal {
    /// Compared as it is.
    Exact,
    /// Part of a regular expression.
    Pattern,
}

impl Query {
    /// Checks a query as the configuration has it.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("is longer than {LONGEST} bytes; record it as a rule and ask for that"));
        }
        let mut placeholders = 0;
        scan(text, &mut |piece| match piece {
            Piece::Version(PLACEHOLDER | BACKEND, Some(_)) => placeholders += 1,
            Piece::Text(_) | Piece::Version(NAMESPACE, Some(_)) => {}
            // A count is about one version, whichever others there are.
            Piece::Version(..) => placeholders = usize::MAX / 2,
        });
        if placeholders >= usize::MAX / 2 {
            return Err(format!(
                "has {PLACEHOLDER} outside of a quoted label value; write e.g. version=\"{PLACEHOLDER}\""
            ));
        }
        if placeholders == 0 {
            return Err(format!(
                "has no {PLACEHOLDER}, so that it would count both versions together; write e.g. version=\"{PLACEHOLDER}\""
            ));
        }
        if let Some(function) = NO_COUNTS.into_iter().find(|function| calls(text, function)) {
            return Err(format!(
                "calls {function}(), which makes no counts; ask for the counter itself, differences are taken here"
            ));
        }
        Ok(Self { text: text.to_owned() })
    }

    /// Whether it can only be asked with a backend.
    pub(super) fn needs_backend(&self) -> bool {
        has_backend(&self.text)
    }

    /// The query about one version.
    ///
    /// # Errors
    /// A sentence, where it asks by a backend that is not known.
    pub(super) fn about(&self, arm: &Arm<'_>) -> Result<String, String> {
        self.filled(&|place| arm.at(place), &str::to_owned)
    }

    /// Checks a query for a value: any query, whose places for versions are quoted.
    pub(super) fn of_value(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("is longer than {LONGEST} bytes; record it as a rule and ask for that"));
        }
        let (mut outside, mut unknown) = (None, None);
        scan(text, &mut |piece| match piece {
            Piece::Text(text) => {
                let rest = text.replace(INTERVAL, "");
                unknown = unknown.take().or_else(|| rest.find("{{").map(|at| rest[at..].to_owned()));
            }
            Piece::Version(place, None) => outside = Some(place),
            Piece::Version(_, Some(_)) => {}
        });
        if let Some(place) = outside {
            return Err(format!(
                "has {place} outside of a quoted label value; write e.g. version=\"{place}\""
            ));
        }
        if let Some(rest) = unknown {
            let shown: String = rest.chars().take(20).collect();
            return Err(format!(
                "has the place {shown}, which is not known; there is {}, {INTERVAL}",
                PLACES.join(", ")
            ));
        }
        Ok(Self { text: text.to_owned() })
    }

    /// The query for the value that a question is about.
    ///
    /// # Errors
    /// A sentence, where it asks by something that is not known.
    pub(super) fn of(&self, question: &Question<'_>, backend: Option<&Backend>) -> Result<String, String> {
        let arm = Arm { version: question.version, backend };
        let at = |place: &str| match place {
            "{{candidate}}" => Some(question.candidate.to_string()),
            "{{stable}}" => question.stable.map(ToString::to_string),
            place => arm.at(place),
        };
        self.filled(&at, &|text| text.replace(INTERVAL, &interval(question)))
    }

    /// The query with what stands at its places. An empty text there would ask for every series that lacks the label.
    fn filled(
        &self,
        at: &dyn Fn(&str) -> Option<String>,
        between: &dyn Fn(&str) -> String,
    ) -> Result<String, String> {
        let (mut filled, mut missing) = (String::new(), None);
        scan(&self.text, &mut |piece| match piece {
            Piece::Text(text) => filled.push_str(&between(text)),
            Piece::Version(place, kind) => match at(place) {
                Some(text) => filled.push_str(&literal(&text, kind)),
                None => missing = Some(place),
            },
        });
        match missing {
            None => Ok(filled),
            Some("{{stable}}") => {
                Err("it is asked with {{stable}}, and no stable version serves beside this one".to_owned())
            }
            Some(place) => Err(format!("it is asked with {place}, which is not known here")),
        }
    }
}

enum Piece<'a> {
    Text(&'a str),
    /// A placeholder, and inside of which literal; absent outside of all.
    Version(&'static str, Option<Literal>),
}

/// Goes through a query, literal by literal.
fn scan<'a>(text: &'a str, see: &mut dyn FnMut(Piece<'a>)) {
    let (mut quote, mut from, mut at) = (None, 0, 0);
    let mut kind = Literal::Exact;
    while let Some(c) = text[at..].chars().next() {
        if let Some(place) = PLACES.into_iter().find(|place| text[at..].starts_with(place)) {
            see(Piece::Text(&text[from..at]));
            // A raw literal knows no escapes, so that nothing can be put there safely.
            see(Piece::Version(place, quote.filter(|quote| *quote != '`').map(|_| kind)));
            at += place.len();
            from = at;
            continue;
        }
        match quote {
            Some('"' | '\'') if c == '\\' => {
                at += 1;
                at += text[at..].chars().next().map_or(0, char::len_utf8);
                continue;
            }
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '\'' | '`') => {
                quote = Some(c);
                let before = text[..at].trim_end();
                let is_pattern = before.ends_with("=~") || before.ends_with("!~");
                kind = if is_pattern { Literal::Pattern } else { Literal::Exact };
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    see(Piece::Text(&text[from..]));
}

/// A version, or the name of a backend, inside of a literal.
fn literal(text: &str, kind: Option<Literal>) -> String {
    match kind {
        Some(Literal::Pattern) => escaped(&pattern(text)),
        _ => escaped(text),
    }
}

/// As it stands in a quoted literal.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\\' | '"' | '\'' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// As a regular expression that matches the text alone.
fn pattern(text: &str) -> String {
    let mut pattern = String::new();
    for c in text.chars() {
        if c.is_ascii_punctuation() && !matches!(c, '-' | '_') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn calls(text: &str, function: &str) -> bool {
    text.match_indices(function).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let is_name = before.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'));
        !is_name && text[at + function.len()..].trim_start().starts_with('(')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(query: &str, version: &str) -> String {
        let backend = Backend { namespace: "ml".to_owned(), name: "churn-1.2\"".to_owned() };
        let arm = Arm { version: &version.parse().unwrap(), backend: Some(&backend) };
        Query::new(query).unwrap().about(&arm).unwrap()
    }

    #[test]
    fn the_version_is_put_into_label_values() {
        assert_eq!(about("x{version=\"{{arm}}\"}", "v1.2.0"), "x{version=\"v1.2.0\"}");
        assert_eq!(
            about("x{v='{{arm}}'} or y{v=\"a\\\"{{arm}}\"}", "v1.2.0-rc.1"),
            "x{v='v1.2.0-rc.1'} or y{v=\"a\\\"v1.2.0-rc.1\"}"
        );
        assert_eq!(about("x{pod=~\"churn-{{arm}}-.*\"}", "v1.2.0"), "x{pod=~\"churn-v1\\\\.2\\\\.0-.*\"}");
        assert_eq!(
            about("x{ns=\"{{namespace}}\",s=\"{{backend}}\",pod=~\"{{backend}}-.+\"}", "v1.2.0"),
            "x{ns=\"ml\",s=\"churn-1.2\\\"\",pod=~\"churn-1\\\\.2\\\\\\\"-.+\"}"
        );
        assert_eq!(escaped("a\"b'c\\d\ne"), "a\\\"b\\'c\\\\d\\ne");
    }

    #[test]
    fn what_would_count_something_else_is_refused() {
        for (query, word) in [
            ("errors_total", "both versions"),
            ("errors_total{namespace=\"{{namespace}}\"}", "both versions"),
            ("errors_total{service={{backend}}}", "outside"),
            ("errors_total{version={{arm}}}", "outside"),
            ("errors_total{version=`{{arm}}`}", "outside"),
            ("rate(errors_total{version=\"{{arm}}\"}[5m])", "rate()"),
            ("sum(increase (x{version=\"{{arm}}\"}[5m]))", "increase()"),
        ] {
            let error = Query::new(query).unwrap_err();
            assert!(error.contains(word), "{query}: {error}");
        }
        assert!(Query::new("my_rate(x{version=\"{{arm}}\"})").is_ok());
        assert!(Query::new(&"x".repeat(5000)).unwrap_err().contains("longer"));
    }
}
