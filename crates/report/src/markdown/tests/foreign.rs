//! Foreign text stays text: read back with a Markdown parser, a page full of hostile text has the same structure as
//! one full of harmless text, with no link, picture, mention or HTML of its own.

use pulldown_cmark::{Event, Options, Parser, Tag};

use super::{report, section};
use crate::markdown::{Limits, comment, summary};

/// Each tries to leave its place in some way.
const HOSTILE: &[&str] = &[
    "a | b",
    "a \\| b",
    "\\",
    "a\\",
    "\\\\|",
    "||||",
    "|---|---|",
    "`",
    "``",
    "a`b",
    "`a` ``b``",
    "```\nrm\n```",
    "`|`",
    "`a|b`",
    "*bold*",
    "**bold**",
    "_em_",
    "__em__",
    "~~gone~~",
    "# heading",
    "- item",
    "1. item",
    "1) item",
    "+ item",
    "> quote",
    "---",
    "===",
    "***",
    "    code",
    "\ttab",
    "[x](https://evil.example)",
    "![x](https://evil.example/p.png)",
    "[x][y]\n\n[y]: https://evil.example",
    "<https://evil.example>",
    "https://evil.example",
    "HTTP://evil.example",
    "www.evil.example",
    "mailto:a@evil.example",
    "a@evil.example",
    "@octocat",
    "@org/team",
    "(@octocat)",
    "`@octocat",
    "#123",
    "fixes #123",
    "org/repo#123",
    "GH-123",
    "gh-9",
    "org/repo@0a1b2c3d",
    "<b>x</b>",
    "<script>alert(1)</script>",
    "<!-- tagship:comment {} -->",
    "<!--",
    "-->",
    "--!>",
    "</details>",
    "</summary></details>",
    "<details open>",
    "</code>",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt;",
    "&#64;octocat",
    "&amp;",
    "<a href='javascript:x'>y</a>",
    "[^1]",
    "$x$",
    "$$x$$",
    "[!CAUTION]",
    "> [!NOTE]",
    ":tada:",
    "line\nbreak",
    "line\r\n\r\nparagraph",
    "two  \nspaces",
    "a\u{2028}b",
    "a\u{85}b",
    "\u{202e}dessap",
    "\u{2066}x\u{2069}",
    "a\u{200b}b",
    "@\u{200d}octocat",
    "\u{feff}x",
    "\u{0}",
    "\u{1b}[31m",
    "\u{e0041}",
    "https://ci.example/)[x](https://evil.example",
    "javascript:alert(1)",
    "![",
    "](",
    "<",
    ">",
    "&",
    "\"'",
    "- [ ] task",
];

fn events(page: &str) -> Vec<Event<'_>> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_GFM
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH;
    Parser::new_ext(page, options).collect()
}

/// What a page is built of, without its texts.
fn skeleton(page: &str) -> Vec<String> {
    let shape = |event: &Event<'_>| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(format!("link {dest_url}")),
        Event::Start(tag) => Some(format!("{tag:?}")),
        Event::End(tag) => Some(format!("/{tag:?}")),
        Event::Rule => Some("rule".to_owned()),
        Event::FootnoteReference(_)
        | Event::TaskListMarker(_)
        | Event::InlineMath(_)
        | Event::DisplayMath(_) => Some("extension".to_owned()),
        // How text is quoted depends on the text; which HTML may occur is looked at below.
        Event::Text(_)
        | Event::Code(_)
        | Event::Html(_)
        | Event::InlineHtml(_)
        | Event::SoftBreak
        | Event::HardBreak => None,
    };
    events(page).iter().filter_map(shape).collect()
}

/// Text that a reader sees outside of code, where forges look for mentions and references.
fn prose(page: &str) -> String {
    let mut text = String::new();
    let mut code = 0;
    for event in events(page) {
        match event {
            Event::InlineHtml(tag) if &*tag == "<code>" => code += 1,
            Event::InlineHtml(tag) if &*tag == "</code>" => code -= 1,
            Event::Text(words) if code == 0 => text.push_str(&words),
            Event::Code(_) | Event::Start(_) | Event::End(_) => text.push(' '),
            // Blocks of HTML are ours, but their inside is read as text by a browser.
            Event::Html(html) => text.push_str(&decoded(&html)),
            _ => {}
        }
    }
    text
}

/// HTML text with its numeric character references resolved.
fn decoded(html: &str) -> String {
    let mut pieces = html.split("&#");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (number, rest) = piece.split_once(';').unwrap();
        text.extend(char::from_u32(number.parse().unwrap()));
        text.push_str(rest);
    }
    text
}

fn assert_harmless(page: &str, hostile: &str) {
    assert!(!page.contains("<!--"), "a hidden marker from {hostile:?}");
    let hidden =
        |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{200d}';
    assert!(!page.contains(hidden), "hidden characters from {hostile:?}");
    let ours = [
        "<sub>",
        "</sub>",
        "<br>",
        "<i>",
        "</i>",
        "<code>",
        "</code>",
        "<details>",
        "<details open>",
        "</details>",
        "<b>",
        "</b>",
    ];
    for event in events(page) {
        match event {
            Event::InlineHtml(tag) => assert!(ours.contains(&tag.trim()), "{tag} from {hostile:?}"),
            Event::Html(html) => {
                let bare = ours.iter().fold(html.to_string(), |html, tag| html.replace(tag, ""));
                let bare = bare.replace("<summary>", "").replace("</summary>", "");
                assert!(!bare.contains(['<', '>']), "{html} from {hostile:?}");
            }
            _ => {}
        }
    }
    let text = prose(page);
    let follows = |start: &str, what: fn(char) -> bool| {
        text.match_indices(start).any(|(at, found)| text[at + found.len()..].chars().next().is_some_and(what))
    };
    assert!(!follows("@", char::is_alphanumeric), "a mention from {hostile:?}");
    assert!(!follows("#", |c| c.is_ascii_digit()), "a reference from {hostile:?}");
    for start in ["://", "www.", "GH-", "gh-"] {
        assert!(!follows(start, char::is_alphanumeric), "a link from {hostile:?}");
    }
}

#[test]
fn hostile_text_in_every_field_changes_nothing_but_words() {
    assert!(HOSTILE.len() >= 40);
    for with_rollout in [true, false] {
        let page = |text: &str| comment(&report(text, vec![section(text, with_rollout)]), &Limits::default());
        let harmless = skeleton(&page("word"));
        for hostile in HOSTILE {
            for text in [(*hostile).to_owned(), format!("x {hostile} y"), format!("{hostile}{hostile}")] {
                let page = page(&text);
                assert_eq!(skeleton(&page), harmless, "structure changed by {text:?}:\n{page}");
                assert_harmless(&page, &text);
            }
        }
    }
}

#[test]
fn folded_sections_and_summaries_are_as_safe() {
    let page = |text: &str| summary(&report(text, vec![section(text, true), section(text, false)]));
    let harmless = skeleton(&page("word"));
    for hostile in HOSTILE {
        let page = page(hostile);
        assert_eq!(skeleton(&page), harmless, "structure changed by {hostile:?}:\n{page}");
        assert_harmless(&page, hostile);
    }
}

#[test]
fn only_the_address_of_the_run_is_a_link() {
    let mut report = report("word", vec![section("word", true)]);
    report.by.run = Some("https://ci.example/runs/7?attempt=1".to_owned());
    let page = comment(&report, &Limits::default());
    let links: Vec<String> = skeleton(&page).into_iter().filter(|part| part.starts_with("link")).collect();
    assert_eq!(links, ["link https://ci.example/runs/7?attempt=1"]);
}
