//! The Prometheus text format 0.0.4, strictly: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
//!
//! One pass, no recursion, bounded. Every line must be understood, also of metrics that nobody asks for: a page of
//! which a part is damaged is not believed in the other parts. A page that does not end with a line feed was cut off,
//! perhaps within a number.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

/// Most samples of a page.
const MAX_SAMPLES: usize = 100_000;
/// Most labels of a sample.
const MAX_LABELS: usize = 64;

/// What is wrong with a page, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageError {
    /// Number of the line, from 1; absent where the page as a whole lacks something.
    pub(super) line: Option<usize>,
    pub(super) message: String,
}

/// A page that was understood.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) samples: Vec<Sample>,
    /// Declared types by metric name, with the line.
    pub(super) types: HashMap<String, (Kind, usize)>,
}

/// One line with a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

/// Types of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
    Untyped,
}

/// Reads a whole page.
pub(super) fn parse(text: &str) -> Result<Page, PageError> {
    let mut page = Page::default();
    let mut seen: HashMap<(String, BTreeMap<String, String>), usize> = HashMap::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let number = index + 1;
        let at = |message: String| PageError { line: Some(number), message };
        let Some(line) = line.strip_suffix('\n') else {
            return Err(at("the page ends in the middle of a line; it was cut off".to_owned()));
        };
        let line = line.trim_start_matches(BLANKS);
        if let Some(comment) = line.strip_prefix('#') {
            declaration(&mut page, comment, number).map_err(at)?;
        } else if !line.is_empty() {
            let sample = sample(line, number).map_err(at)?;
            if page.samples.len() == MAX_SAMPLES {
                return Err(at(format!("the page has more than {MAX_SAMPLES} series")));
            }
            if let Some(first) = seen.insert((sample.name.clone(), sample.labels.clone()), number) {
                return Err(at(format!("the series of line {first} is here again")));
            }
            page.samples.push(sample);
        }
    }
    Ok(page)
}

const BLANKS: [char; 2] = [' ', '\t'];

/// A comment line: of `TYPE` the type is kept, `HELP` and anything else says nothing to programs.
fn declaration(page: &mut Page, comment: &str, line: usize) -> Result<(), String> {
    let mut words = comment.split(BLANKS).filter(|word| !word.is_empty());
    if words.next() != Some("TYPE") {
        return Ok(());
    }
    let (Some(name), Some(kind), None) = (words.next(), words.next(), words.next()) else {
        return Err("a TYPE line names a metric and its type".to_owned());
    };
    if !is_name(name, ":") {
        return Err(format!("{name:?} is no name of a metric"));
    }
    let kind = Kind::parse(kind).ok_or_else(|| format!("{kind:?} is no type of a metric"))?;
    if let Some((_, first)) = page.types.insert(name.to_owned(), (kind, line)) {
        return Err(format!("the type of {name} was given in line {first} already"));
    }
    Ok(())
}

fn sample(line: &str, number: usize) -> Result<Sample, String> {
    let end = line.find(|c: char| c == '{' || BLANKS.contains(&c)).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    if !is_name(name, ":") {
        return Err(format!("{name:?} is no name of a metric"));
    }
    let rest = rest.trim_start_matches(BLANKS);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => labels(inside)?,
        None => (BTreeMap::new(), rest),
    };
    let mut words = rest.split(BLANKS).filter(|word| !word.is_empty());
    let value = words.next().ok_or_else(|| format!("{name} has no value"))?;
    let value = value.parse::<f64>().map_err(|_not_a_number| format!("{value:?} is no number"))?;
    if let Some(time) = words.next() {
        time.parse::<i64>().map_err(|_not_a_time| format!("{time:?} is no time in milliseconds"))?;
    }
    if let Some(more) = words.next() {
        return Err(format!("{more:?} stands after the sample"));
    }
    Ok(Sample { line: number, name: name.to_owned(), labels, value })
}

/// The labels up to the closing brace, and what follows it.
fn labels(mut rest: &str) -> Result<(BTreeMap<String, String>, &str), String> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches(BLANKS);
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        let (name, after) = rest.split_once('=').ok_or("the labels do not end")?;
        let name = name.trim_end_matches(BLANKS);
        if !is_name(name, "") {
            return Err(format!("{name:?} is no name of a label"));
        }
        let quoted = after.trim_start_matches(BLANKS).strip_prefix('"');
        let (value, after) = quoted_value(quoted.ok_or_else(|| format!("label {name} is not quoted"))?)?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err(format!("label {name} is given twice"));
        }
        if labels.len() > MAX_LABELS {
            return Err(format!("the series has more than {MAX_LABELS} labels"));
        }
        rest = after.trim_start_matches(BLANKS);
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.starts_with('}') => {}
            None => return Err(format!("after label {name} a comma or a closing brace is missing")),
        }
    }
}

/// A label's value up to the closing quote, and what follows it.
fn quoted_value(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => value.push(match chars.next().map(|(_, escaped)| escaped) {
                Some('n') => '\n',
                Some(same @ ('\\' | '"')) => same,
                other => return Err(format!("{other:?} is no escape of a label's value")),
            }),
            other => value.push(other),
        }
    }
    Err("the value of a label does not end".to_owned())
}

fn is_name(text: &str, more: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || more.contains(c);
    text.starts_with(letter) && text.chars().all(|c| letter(c) || c.is_ascii_digit())
}

impl Kind {
    const WORDS: [(Self, &str); 5] = [
        (Self::Counter, "counter"),
        (Self::Gauge, "gauge"),
        (Self::Histogram, "histogram"),
        (Self::Summary, "summary"),
        (Self::Untyped, "untyped"),
    ];

    fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::WORDS.iter().find(|(kind, _)| kind == self).map(|(_, word)| *word);
        f.write_str(word.unwrap_or_default())
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}
