//! Every page fits, says what it leaves out, and keeps the verdict.

use proptest::prelude::*;
use tagship_domain::{ModelName, report::Section};

use super::{report, section};
use crate::markdown::{Limits, comment, summary};

fn units(page: &str) -> usize {
    page.encode_utf16().count()
}

fn assert_fits(page: &str) {
    assert!(units(page) <= 60_000, "{} units", units(page));
    assert!(page.len() <= 240_000, "{} bytes", page.len());
}

fn with_findings(count: usize, foreign: &str) -> Section {
    let mut section = section(foreign, false);
    let artifact = &mut section.validation.as_mut().unwrap().artifacts[0];
    artifact.findings = vec![artifact.findings[0].clone(); count];
    section
}

fn models(count: usize, foreign: &str) -> Vec<Section> {
    let named =
        |index| Section { model: ModelName::new(format!("m{index}")).unwrap(), ..section(foreign, false) };
    (0..count).map(named).collect()
}

#[test]
fn five_hundred_findings_fit_and_their_number_is_told() {
    let page = comment(&report("word", vec![with_findings(500, "word")]), &Limits::default());
    assert_fits(&page);
    assert!(page.contains("more"), "{page}");
}

#[test]
fn three_hundred_models_fit_and_keep_verdict_and_footer() {
    for foreign in ["word", &"|`<@\u{202e}模型 ".repeat(200)] {
        let page = comment(&report(foreign, models(300, foreign)), &Limits::default());
        assert_fits(&page);
        assert!(page.starts_with("###"), "the verdict comes first");
        assert!(page.contains("2026-11-24 03:45:00 UTC"), "the footer is kept");
        assert!(page.contains("Details of"), "it is said whose details are missing");
    }
}

#[test]
fn what_is_left_out_is_said() {
    let full = comment(&report("word", vec![section("word", true)]), &Limits::default());
    let tight = comment(&report("word", vec![section("word", true)]), &Limits::new(6_000, 6_000, 25));
    let crowded = "word ".repeat(60);
    let crowded = comment(&report("word", vec![section(&crowded, true)]), &Limits::new(6_000, 6_000, 25));
    assert!(!full.contains("eft out"), "nothing is left out where there is room:\n{full}");
    assert!(units(&tight) <= 6_000);
    assert!(units(&crowded) <= 6_000, "{}", units(&crowded));
    assert!(crowded.contains("eft out"), "{crowded}");
}

#[test]
fn of_an_analysis_the_looks_go_first_and_the_verdicts_stay() {
    let full = comment(&report("word", vec![section("word", true)]), &Limits::default());
    assert!(full.contains("900 looks") && full.contains("Evidence"), "{full}");
    let crowded = "|word ".repeat(60);
    let pages = (6_000..40_000).step_by(500).map(|limit| {
        comment(&report(&crowded, vec![section(&crowded, true)]), &Limits::new(limit, limit, 25))
    });
    let kept: Vec<(bool, bool)> =
        pages.map(|page| (page.contains("Evidence"), page.contains("900 looks"))).collect();
    assert!(kept.iter().all(|(verdicts, looks)| *verdicts || !looks), "{kept:?}");
    assert!(
        kept.contains(&(true, false)),
        "there is a length at which the verdicts fit and the looks do not"
    );
}

#[test]
fn text_that_escaping_makes_longest_fits_into_the_least_limit() {
    for worst in ["|".repeat(2_000), "\u{1d173}".repeat(2_000), "@".repeat(2_000)] {
        for copies in [1, 40] {
            let page = comment(&report(&worst, vec![section(&worst, true); copies]), &Limits::new(0, 0, 25));
            assert!(
                units(&page) <= 6_000 && page.len() <= 6_000,
                "{} units, {} bytes",
                units(&page),
                page.len()
            );
        }
    }
}

#[test]
fn a_summary_fits_into_what_runners_take() {
    let foreign = "&|`<@# ".repeat(300);
    let page = summary(&report(&foreign, models(600, &foreign)));
    assert!(page.len() <= (1 << 20) - 4096, "{} bytes", page.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_text_fits_and_opens_no_comment(text in ".{0,400}", with_rollout: bool, copies in 1_usize..12, findings in 0_usize..60) {
        let mut sections = vec![section(&text, with_rollout); copies];
        sections[0] = with_findings(findings, &text);
        let page = comment(&report(&text, sections), &Limits::default());
        assert_fits(&page);
        prop_assert!(!page.contains("<!--"));
    }

    #[test]
    fn any_limit_above_the_least_is_kept(text in ".{0,300}", units_limit in 6_000_usize..20_000, copies in 1_usize..6) {
        let page = comment(&report(&text, vec![section(&text, true); copies]), &Limits::new(units_limit, 4 * units_limit, 25));
        prop_assert!(units(&page) <= units_limit, "{} over {units_limit}", units(&page));
    }
}
