//! A `PromQL` query with a place for the version, and the version put there as text and nothing else.

use tagship_domain::Version;

/// What stands for the version.
pub(super) const PLACEHOLDER: &str = "{{arm}}";
/// Longest query in bytes; servers before the store refuse longer addresses.
const LONGEST: usize = 4096;
/// Functions that turn a counter into something that is none.
const NO_COUNTS: [&str; 7] = ["rate", "irate", "increase", "delta", "idelta", "deriv", "histogram_quantile"];

/// A checked query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    text: String,
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
            Piece::Text(_) => {}
            Piece::Version(Some(_)) => placeholders += 1,
            Piece::Version(None) => placeholders = usize::MAX / 2,
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

    /// The query about one version.
    pub(super) fn about(&self, version: &Version) -> String {
        let version = version.to_string();
        let mut filled = String::new();
        scan(&self.text, &mut |piece| match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Version(Some(Literal::Pattern)) => filled.push_str(&escaped(&pattern(&version))),
            Piece::Version(_) => filled.push_str(&escaped(&version)),
        });
        filled
    }
}

enum Piece<'a> {
    Text(&'a str),
    /// A placeholder, inside of which literal; absent outside of all.
    Version(Option<Literal>),
}

/// Goes through a query, literal by literal.
fn scan<'a>(text: &'a str, see: &mut dyn FnMut(Piece<'a>)) {
    let (mut quote, mut from, mut at) = (None, 0, 0);
    let mut kind = Literal::Exact;
    while let Some(c) = text[at..].chars().next() {
        if text[at..].starts_with(PLACEHOLDER) {
            see(Piece::Text(&text[from..at]));
            // A raw literal knows no escapes, so that nothing can be put there safely.
            see(Piece::Version(quote.filter(|quote| *quote != '`').map(|_| kind)));
            at += PLACEHOLDER.len();
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
        Query::new(query).unwrap().about(&version.parse().unwrap())
    }

    #[test]
    fn the_version_is_put_into_label_values() {
        assert_eq!(about("x{version=\"{{arm}}\"}", "v1.2.0"), "x{version=\"v1.2.0\"}");
        assert_eq!(
            about("x{v='{{arm}}'} or y{v=\"a\\\"{{arm}}\"}", "v1.2.0-rc.1"),
            "x{v='v1.2.0-rc.1'} or y{v=\"a\\\"v1.2.0-rc.1\"}"
        );
        assert_eq!(about("x{pod=~\"churn-{{arm}}-.*\"}", "v1.2.0"), "x{pod=~\"churn-v1\\\\.2\\\\.0-.*\"}");
        assert_eq!(escaped("a\"b'c\\d\ne"), "a\\\"b\\'c\\\\d\\ne");
    }

    #[test]
    fn what_would_count_something_else_is_refused() {
        for (query, word) in [
            ("errors_total", "both versions"),
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
