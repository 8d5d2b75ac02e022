//! A streaming reader of `JUnit` XML that trusts nothing.
//!
//! There is no standard; this reads what Maven Surefire, Gradle, pytest, `GoogleTest`, Jest and nextest write:
//! `testsuites` or `testsuite` at the root, suites nested at will, cases wherever they stand. Counts come from the
//! cases themselves. A document type is refused, so there are no entities to expand and nothing to fetch.

use std::borrow::Cow;

use quick_xml::{
    XmlVersion,
    events::{BytesStart, Event},
    reader::Reader,
};

use super::cases::{Case, Claims, TestReport};
use crate::text::shown;

/// Largest report that is read, in bytes.
pub const MAX_REPORT_BYTES: usize = 64 * 1024 * 1024;

/// Deepest nesting of elements that is read.
pub const MAX_DEPTH: usize = 64;

/// Most attributes of one element that are looked at.
const MAX_ATTRIBUTES: usize = 64;

/// Why a report cannot be believed as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JunitError {
    #[error("it has {bytes} bytes, at most {MAX_REPORT_BYTES} are read")]
    TooLarge { bytes: usize },
    #[error("it is not UTF-8 (byte {offset}); have the test runner write UTF-8")]
    Encoding { offset: usize },
    #[error("it declares a document type (byte {offset}), which can hide entities; a JUnit report has none")]
    DocumentType { offset: u64 },
    #[error("it nests deeper than {MAX_DEPTH} elements (byte {offset})")]
    TooDeep { offset: u64 },
    #[error("its root element is <{name}>, not <testsuites> or <testsuite>")]
    Root { name: String },
    #[error("it holds no element at all")]
    Empty,
    #[error("it ends in the middle of <{name}>; the test run may have been cut off")]
    CutOff { name: String },
    #[error("it is no well-formed XML (byte {offset}): {message}")]
    Malformed { offset: u64, message: String },
}

/// Reads one report.
pub(crate) fn read(bytes: &[u8]) -> Result<TestReport, JunitError> {
    if bytes.len() > MAX_REPORT_BYTES {
        return Err(JunitError::TooLarge { bytes: bytes.len() });
    }
    let text =
        std::str::from_utf8(bytes).map_err(|error| JunitError::Encoding { offset: error.valid_up_to() })?;
    let text = text.trim_start_matches('\u{feff}');
    let end = text.len() as u64;
    let mut reader = Reader::from_str(text);
    let mut reading = Reading::default();
    loop {
        let offset = reader.buffer_position();
        let event = reader.read_event().map_err(|error| match error {
            // Ending early is not a mistake of the writer, so it is told apart.
            quick_xml::Error::Syntax(_) if reader.buffer_position() >= end => reading.cut_off(),
            other => malformed(reader.error_position(), &other.to_string()),
        })?;
        match event {
            Event::Start(element) => reading.open(&element, offset)?,
            Event::Empty(element) => {
                reading.open(&element, offset)?;
                reading.close();
            }
            Event::End(_) => reading.close(),
            Event::DocType(_) => return Err(JunitError::DocumentType { offset }),
            Event::Eof => return reading.finish(),
            Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::GeneralRef(_) => {}
        }
    }
}

fn malformed(offset: u64, message: &str) -> JunitError {
    JunitError::Malformed { offset, message: shown(message, 160) }
}

/// What is known between two events.
#[derive(Default)]
struct Reading {
    report: TestReport,
    /// Names of the open elements, outermost first.
    open: Vec<String>,
    /// The open case and how many elements are open around its children.
    case: Option<(usize, Case)>,
    any: bool,
    /// Whether the root element made claims; those of its suites are then the same ones again.
    root_claimed: bool,
}

impl Reading {
    fn open(&mut self, element: &BytesStart<'_>, offset: u64) -> Result<(), JunitError> {
        let local = element.local_name();
        let name: &str = local.as_ref();
        let depth = self.open.len();
        if depth == MAX_DEPTH {
            return Err(JunitError::TooDeep { offset });
        }
        if depth == 0 {
            if self.any {
                return Err(malformed(offset, "a second root element"));
            }
            if !matches!(name, "testsuites" | "testsuite") {
                return Err(JunitError::Root { name: shown(name, 60) });
            }
            self.any = true;
        }
        if let Some((children, case)) = &mut self.case {
            if matches!(name, "testcase" | "testsuite") {
                return Err(malformed(offset, "a test case that holds another one"));
            }
            if *children == depth {
                note_child(case, name);
            }
        } else {
            self.open_outside_case(name, Attributes::of(element, offset)?);
        }
        self.open.push(name.to_owned());
        Ok(())
    }

    fn open_outside_case(&mut self, name: &str, attributes: Attributes) {
        let depth = self.open.len();
        match name {
            "testcase" => self.case = Some((depth + 1, attributes.case())),
            // A suite that breaks before its first case (imports, fixtures) says so itself.
            "failure" | "error" => {
                let name = self.open.last().map_or("", String::as_str);
                let case = Case { name: format!("<{name}>"), broken: true, ..Case::default() };
                self.report.count(&case);
            }
            "testsuites" | "testsuite" if depth == 0 || (depth == 1 && !self.root_claimed) => {
                if let Some(claims) = attributes.claims() {
                    self.root_claimed |= depth == 0;
                    self.report.claim(claims);
                }
            }
            _ => {}
        }
    }

    fn close(&mut self) {
        self.open.pop();
        if let Some((_, case)) = self.case.take_if(|(children, _)| *children > self.open.len()) {
            self.report.count(&case);
        }
    }

    fn finish(self) -> Result<TestReport, JunitError> {
        if !self.open.is_empty() {
            Err(self.cut_off())
        } else if self.any {
            Ok(self.report)
        } else {
            Err(JunitError::Empty)
        }
    }

    fn cut_off(&self) -> JunitError {
        match self.open.last() {
            Some(name) => JunitError::CutOff { name: shown(name, 60) },
            None => JunitError::Empty,
        }
    }
}

/// What an element directly below a case says about it. Surefire's `rerun*` beside a failure and `flaky*` alone
/// both tell of a second attempt.
fn note_child(case: &mut Case, name: &str) {
    match name {
        "failure" => case.failed = true,
        "error" => case.broken = true,
        "skipped" => case.skipped = true,
        "flakyFailure" | "flakyError" | "rerunFailure" | "rerunError" => case.rerun = true,
        _ => {}
    }
}

/// The attributes that matter, of any element.
#[derive(Default)]
struct Attributes {
    name: Option<String>,
    class: Option<String>,
    status: Option<String>,
    result: Option<String>,
    tests: Option<u64>,
    failures: Option<u64>,
    errors: Option<u64>,
}

impl Attributes {
    fn of(element: &BytesStart<'_>, offset: u64) -> Result<Self, JunitError> {
        let mut found = Self::default();
        // Looking for duplicates is quadratic, so it is left out: the first one counts.
        for attribute in element.attributes().with_checks(false).take(MAX_ATTRIBUTES) {
            let attribute = attribute.map_err(|error| malformed(offset, &error.to_string()))?;
            let text = || attribute.normalized_value(XmlVersion::Implicit1_0);
            let text = || text().map_or_else(|_| attribute.value.to_string(), Cow::into_owned);
            let number = || text().trim().parse().ok();
            let local = attribute.key.local_name();
            match local.as_ref() {
                "name" => found.name = found.name.or_else(|| Some(text())),
                "classname" => found.class = found.class.or_else(|| Some(text())),
                "status" => found.status = found.status.or_else(|| Some(text())),
                "result" => found.result = found.result.or_else(|| Some(text())),
                "tests" => found.tests = found.tests.or_else(number),
                "failures" => found.failures = found.failures.or_else(number),
                "errors" => found.errors = found.errors.or_else(number),
                _ => {}
            }
        }
        Ok(found)
    }

    /// A case as its attributes tell it. Some writers have no child element for what was not run (`GoogleTest`)
    /// or what failed (`CTest`) but a status.
    fn case(self) -> Case {
        let name = self.name.unwrap_or_else(|| "a test without a name".to_owned());
        let name = match self.class {
            Some(class) if !class.is_empty() => format!("{class}.{name}"),
            _ => name,
        };
        let says = |words: &[&str]| {
            [&self.status, &self.result].into_iter().flatten().any(|word| words.contains(&word.as_str()))
        };
        Case {
            name,
            failed: says(&["fail", "failed", "failure"]),
            broken: says(&["error", "broken"]),
            skipped: says(&["notrun", "disabled", "skipped", "suppressed"]),
            rerun: false,
        }
    }

    fn claims(&self) -> Option<Claims> {
        let bad = self.failures.unwrap_or(0).saturating_add(self.errors.unwrap_or(0));
        self.tests.map(|tests| Claims { tests, bad })
    }
}
