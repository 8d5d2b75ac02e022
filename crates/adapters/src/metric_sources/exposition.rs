//! Reading the text format 0.0.4 in which servers expose their metrics: one sample per line, names with labels in
//! braces. Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::collections::BTreeMap;

/// One sample of a page.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample<'a> {
    /// Name of the metric.
    pub(super) name: &'a str,
    /// Its labels.
    pub(super) labels: BTreeMap<&'a str, String>,
    /// Its value, which may be no number.
    pub(super) value: f64,
}

/// All samples of a page with the lines they stand in, from 1, or what is wrong with a line. Comments and types are
/// passed over.
pub(super) fn samples(page: &str) -> impl Iterator<Item = Result<(usize, Sample<'_>), String>> {
    let lines = page.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let told = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    told.map(|(line, text)| match sample(text) {
        Ok(sample) => Ok((line, sample)),
        Err(message) => Err(format!("line {line}: {message}")),
    })
}

fn sample(line: &str) -> Result<Sample<'_>, String> {
    let end = line.find(|c: char| c == '{' || c.is_whitespace()).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':') {
        return Err(format!("{name:?} is no name of a metric"));
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let mut words = rest.split_whitespace();
    let value = words.next().ok_or("the value is missing")?;
    let value = value.parse().map_err(|_no_number| format!("{value:?} is no value"))?;
    if let Some(time) = words.next().filter(|time| time.parse::<i64>().is_err()) {
        return Err(format!("{time:?} is no time"));
    }
    match words.next() {
        Some(more) => Err(format!("{more:?} stands after the sample")),
        None => Ok(Sample { name, labels, value }),
    }
}

/// Labels up to the closing brace, and what follows it.
fn labels(text: &str) -> Result<(BTreeMap<&str, String>, &str), String> {
    let mut labels = BTreeMap::new();
    let mut rest = text.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        let (name, after) = rest.split_once('=').ok_or("a label has no value")?;
        let (name, after) = (name.trim(), after.trim_start());
        let quoted =
            after.strip_prefix('"').ok_or_else(|| format!("the value of label {name} is not quoted"))?;
        let (value, after) =
            unquoted(quoted).ok_or_else(|| format!("the value of label {name} does not end"))?;
        if labels.insert(name, value).is_some() {
            return Err(format!("label {name} stands here twice"));
        }
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(more) => more.trim_start(),
            None if after.starts_with('}') => after,
            None => return Err("the labels do not end".to_owned()),
        };
    }
}

/// The text up to the closing quote, with escapes resolved, and what follows it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Result<Sample<'_>, String> {
        sample(line)
    }

    #[test]
    fn labels_are_read_with_their_escapes() {
        let sample =
            one(r#"requests_total{model="a\"b\\c\nd", version="v1.0.0",} 12 1700000000000"#).unwrap();
        assert_eq!((sample.name, sample.value), ("requests_total", 12.0));
        assert_eq!(sample.labels["model"], "a\"b\\c\nd");
        assert_eq!(sample.labels["version"], "v1.0.0");
        assert!(one("up NaN").unwrap().value.is_nan());
        assert_eq!(one("bucket{le=\"+Inf\"} +Inf").unwrap().value, f64::INFINITY);
    }

    #[test]
    fn what_is_no_sample_is_named() {
        for (line, complaint) in [
            ("{a=\"b\"} 1", "no name"),
            ("requests", "value is missing"),
            ("requests one", "no value"),
            ("requests 1 later", "no time"),
            ("requests 1 2 3", "stands after"),
            ("requests{a=1} 1", "not quoted"),
            ("requests{a=\"1} 1", "does not end"),
            ("requests{a=\"1\" b=\"2\"} 1", "do not end"),
            ("requests{a=\"1\",a=\"2\"} 1", "twice"),
            ("<html>", "no name"),
        ] {
            let message = one(line).unwrap_err();
            assert!(message.contains(complaint), "{line}: {message}");
        }
    }

    #[test]
    fn lines_are_counted_with_the_comments() {
        let page = "# HELP up x\n# TYPE up gauge\nup 1\n\nbroken\n";
        let found: Vec<_> = samples(page).collect();
        assert!(matches!(&found[0], Ok((3, sample)) if sample.name == "up"));
        assert!(found[1].as_ref().unwrap_err().starts_with("line 5: "));
    }
}
