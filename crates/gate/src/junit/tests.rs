//! Reports as real test runners write them, and as nobody should.

use proptest::prelude::*;

use super::{
    cases::{Claims, Counts, TestReport},
    reader::{JunitError, MAX_DEPTH, MAX_REPORT_BYTES, read},
};

fn ok(text: &str) -> TestReport {
    read(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[track_caller]
fn check(text: &str, clean: u64, flaky: u64, failed: u64, errors: u64, skipped: u64) {
    assert_eq!(ok(text).counts, Counts { clean, flaky, failed, errors, skipped }, "{text}");
}

#[track_caller]
fn refused(text: &str, part: &str) {
    let error = read(text.as_bytes()).expect_err(text).to_string();
    assert!(error.contains(part), "{text}: {error}");
}

#[test]
fn suites_are_flat_or_nested() {
    check(r#"<testsuite><testcase name="a"/><testcase name="b"></testcase></testsuite>"#, 2, 0, 0, 0, 0);
    check(
        r#"<?xml version="1.0" encoding="utf-8"?><!-- pytest --><testsuites name="pytest tests">
        <testsuite name="outer" tests="3"><properties><property name="x" value="1"/></properties>
          <testcase classname="t" name="a"><system-out><![CDATA[<failure/> & so on]]></system-out></testcase>
          <testsuite name="inner"><testcase name="b"><failure message="x &lt; y">trace</failure></testcase>
          <testcase name="c"><skipped/></testcase></testsuite>
        </testsuite><system-err>&#27;[31m</system-err></testsuites>"#,
        1,
        0,
        1,
        0,
        1,
    );
    check(r#"<j:testsuite xmlns:j="urn:x"><j:testcase/></j:testsuite>"#, 1, 0, 0, 0, 0);
    check("\u{feff}<testsuites></testsuites>", 0, 0, 0, 0, 0);
}

#[test]
fn a_case_counts_once_by_the_worst_that_it_says() {
    let case = |children: &str| format!("<testsuite><testcase>{children}</testcase></testsuite>");
    check(&case("<failure/><error/>"), 0, 0, 0, 1, 0);
    check(&case("<skipped/><failure/>"), 0, 0, 1, 0, 0);
    check(&case("<failure/><failure/>"), 0, 0, 1, 0, 0);
    check(&case("<flakyFailure/>"), 0, 1, 0, 0, 0);
    check(&case("<flakyError/><flakyFailure/>"), 0, 1, 0, 0, 0);
    check(&case("<failure/><rerunFailure/>"), 0, 0, 1, 0, 0);
    check(&case("<properties><failure/></properties>"), 1, 0, 0, 0, 0);
}

#[test]
fn a_status_counts_where_there_is_no_child() {
    let case = |attributes: &str| format!("<testsuite><testcase {attributes}/></testsuite>");
    check(&case(r#"status="notrun""#), 0, 0, 0, 0, 1);
    check(&case(r#"status="run" result="suppressed""#), 0, 0, 0, 0, 1);
    check(&case(r#"status="fail""#), 0, 0, 1, 0, 0);
    check(&case(r#"status="run" result="completed""#), 1, 0, 0, 0, 0);
}

#[test]
fn a_suite_that_breaks_by_itself_is_an_error() {
    check(r#"<testsuite name="s"><error message="import failed"/></testsuite>"#, 0, 0, 0, 1, 0);
}

#[test]
fn what_attributes_claim_is_kept_apart() {
    let report = ok(r#"<testsuites tests="9" failures="2" errors="1"><testsuite tests="9"/></testsuites>"#);
    assert_eq!(report.claims, Some(Claims { tests: 9, bad: 3 }));
    let report = ok(r#"<testsuites><testsuite tests="2" failures="1"><testsuite tests="2"/></testsuite>
        <testsuite tests="many" errors="1"/><testsuite tests="1" errors="1"/></testsuites>"#);
    assert_eq!(report.claims, Some(Claims { tests: 3, bad: 2 }));
    assert_eq!(ok("<testsuite/>").claims, None);
}

#[test]
fn the_first_failures_are_named_in_full_and_bounded() {
    let long = "x".repeat(1000);
    let text = format!(
        r#"<testsuite><testcase classname="pkg.T" name="a &amp; b&#10;c"><failure/></testcase>
        <testcase name="{long}"><failure/></testcase>{}</testsuite>"#,
        r#"<testcase name="n"><error/></testcase>"#.repeat(50)
    );
    let report = ok(&text);
    assert_eq!(report.bad_names[0], "pkg.T.a & b c");
    assert!(report.bad_names[1].chars().count() < 200);
    assert_eq!((report.bad_names.len(), report.counts.bad()), (10, 52));
}

#[test]
fn hostile_and_broken_reports_are_refused() {
    let bomb = r#"<!DOCTYPE lolz [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><testsuite name="&b;"/>"#;
    refused(bomb, "declares a document type");
    refused(r#"<!DOCTYPE t SYSTEM "file:///etc/passwd"><testsuite/>"#, "declares a document type");
    refused("<testsuite><!DOCTYPE t><testcase/></testsuite>", "declares a document type");
    refused(&"<testsuite>".repeat(MAX_DEPTH + 1), "nests deeper than 64");
    refused("<html><testcase/></html>", "root element is <html>");
    refused("", "no element");
    refused("<!-- nothing -->", "no element");
    refused("plain text", "no element");
    refused("<testsuite><testcase>", "ends in the middle of <testcase>");
    refused("<testsuite><testcase name=\"a", "ends in the middle of <testsuite>");
    refused("<testsuite><!-- never closed", "ends in the middle of <testsuite>");
    refused("<testsuite></testsuites>", "no well-formed XML");
    refused("<testsuite/><testsuite/>", "second root element");
    refused("<testsuite><testcase name=a/></testsuite>", "no well-formed XML");
    refused("<testsuite><testcase><testcase><failure/></testcase></testcase></testsuite>", "holds another");
    assert_eq!(read(b"<testsuite name='\xff'/>"), Err(JunitError::Encoding { offset: 17 }));
    let large = vec![b' '; MAX_REPORT_BYTES + 1];
    assert_eq!(read(&large), Err(JunitError::TooLarge { bytes: MAX_REPORT_BYTES + 1 }));
}

#[test]
fn entities_are_never_expanded() {
    let report = ok(r#"<testsuite><testcase name="&xxe;">&xxe;<failure/></testcase></testsuite>"#);
    assert_eq!(report.bad_names, ["&xxe;"]);
}

#[test]
fn many_attributes_cost_no_more_than_their_bytes() {
    use std::fmt::Write;
    let mut text = "<testsuite ".to_owned();
    for index in 0..200_000 {
        let _ = write!(text, "a{index}='' ");
    }
    text.push_str("><testcase/></testsuite>");
    check(&text, 1, 0, 0, 0, 0);
}

/// Pieces of reports, so that random ones get past the first tag.
const PIECES: &[&str] = &[
    "<testsuites>",
    "</testsuites>",
    "<testsuite tests='1'>",
    "</testsuite>",
    "<testcase name='a'>",
    "</testcase>",
    "<testcase/>",
    "<failure/>",
    "<error>",
    "</error>",
    "<skipped/>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?pi ",
    "?>",
    "&amp;",
    "&x;",
    "<",
    ">",
    "'",
    "\"",
    "=",
    "text",
    "é",
    "<!DOCTYPE",
    "[",
    "]",
];

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn any_mix_of_pieces_is_read_or_refused(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..30)) {
        if let Ok(report) = read(pieces.concat().as_bytes()) {
            let cases = pieces.iter().filter(|piece| piece.starts_with("<testcase")).count();
            prop_assert!(report.counts.total() <= (cases + pieces.len()) as u64);
        }
    }

    #[test]
    fn a_report_cut_anywhere_is_no_report(cut in 0_usize..100) {
        let text = "<testsuites><testsuite name='s'><testcase name='a'/><testcase name='b'/></testsuite></testsuites>";
        prop_assume!(cut < text.len());
        prop_assert!(read(&text.as_bytes()[..cut]).is_err());
    }
}
