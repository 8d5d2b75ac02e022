//! Excerpts around findings, in files, members and compressed streams.

use std::io::Write as _;

use tagship_domain::validation::Finding;

use crate::build::judge;

fn excerpt(name: &'static str, bytes: &[u8], rule: &str) -> Finding {
    let report = judge(name, bytes);
    let found = report.findings.into_iter().find(|finding| finding.rule == rule);
    let finding = found.unwrap_or_else(|| panic!("{rule} in {name}"));
    assert!(finding.excerpt.len() <= 9);
    finding
}

fn lines(finding: &Finding) -> Vec<String> {
    let line = |line: &tagship_domain::validation::ExcerptLine| {
        let argument = line.argument.as_deref().map(|argument| format!(" {argument}")).unwrap_or_default();
        format!("{}{} {}{argument}", if line.here { "> " } else { "" }, line.offset, line.opcode)
    };
    finding.excerpt.iter().map(line).collect()
}

/// A call of `os.system` behind and before plain data.
const HOSTILE: &[u8] = b"\x80\x04\x95\x2a\0\0\0\0\0\0\0J\xff\xff\xff\xff0\x8c\x02os\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R0K\x01K\x0200N.";

const AROUND: [&str; 9] = [
    "16 POP",
    "17 SHORT_BINUNICODE 'os'",
    "21 MEMOIZE",
    "22 SHORT_BINUNICODE 'system'",
    "30 MEMOIZE",
    "> 31 STACK_GLOBAL",
    "32 MEMOIZE",
    "33 SHORT_BINUNICODE 'id'",
    "37 MEMOIZE",
];

#[test]
fn what_led_to_a_finding_and_what_follows_is_shown() {
    let finding = excerpt("m.pkl", HOSTILE, "PKL101");
    assert_eq!(finding.offset, Some(31));
    assert_eq!(lines(&finding), AROUND);
}

#[test]
fn a_stream_that_is_read_once_is_shown_as_well() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(HOSTILE).unwrap();
    assert_eq!(lines(&excerpt("m.pkl.gz", &gzip.finish().unwrap(), "PKL101")), AROUND);
    let mut tar = crate::build::tar(&[("data.pkl", HOSTILE)]);
    tar.extend([0; 1024]);
    let finding = excerpt("m.tar", &tar, "PKL101");
    assert_eq!(
        (finding.member.as_deref(), lines(&finding)),
        (Some("m.tar!/data.pkl"), AROUND.map(str::to_owned).into())
    );
}

#[test]
fn arguments_are_escaped_and_cut() {
    let text = format!("\u{1b}[2J\u{202e}{}", "x".repeat(300));
    let mut bytes = b"\x80\x04X".to_vec();
    bytes.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(b"C\x03\x00\xff'G\x3f\xe0\0\0\0\0\0\0J\xfe\xff\xff\xffcos\nsystem\n.");
    let finding = excerpt("m.pkl", &bytes, "PKL101");
    let lines = lines(&finding);
    assert!(lines[1].contains("BINUNICODE '\\u{1b}[2J\\u{202e}xxx"), "{lines:#?}");
    assert!(lines[1].ends_with("… (307 bytes)"), "{lines:#?}");
    assert!(lines[2].ends_with(r"SHORT_BINBYTES b'\x00\xff\''"), "{lines:#?}");
    assert!(lines[3].ends_with("BINFLOAT 0.5") && lines[4].ends_with("BININT -2"), "{lines:#?}");
    assert!(lines[5].starts_with("> ") && lines[5].ends_with("GLOBAL os system"), "{lines:#?}");
    for bytes in [&b"\xe2\x80\xae"[..], b"\xff", b"\x1b", "é".as_bytes()] {
        for opcode in *b"UC" {
            let body = [&[opcode, 252][..], &bytes.repeat(252)[..252], b"cos\nsystem\n."].concat();
            let finding = excerpt("m.pkl", &body, "PKL101");
            for line in &finding.excerpt {
                assert!(
                    line.argument.as_ref().is_none_or(|argument| argument.chars().count() <= 60),
                    "{line:?}"
                );
                let is_plain = |c: char| !c.is_control() && c != '\u{202e}';
                assert!(line.argument.iter().all(|argument| argument.chars().all(is_plain)), "{line:?}");
            }
        }
    }
}

#[test]
fn the_end_of_a_cut_stream_is_shown() {
    let finding = excerpt("m.pkl", b"\x80\x04K\x01\x8c\x09abc", "INT201");
    assert_eq!(lines(&finding), ["0 PROTO 4", "2 BININT1 1", "> 4 SHORT_BINUNICODE"]);
    let finding = excerpt("m.pkl", b"\x80\x04K\x01\xff", "INT202");
    assert_eq!(lines(&finding), ["0 PROTO 4", "2 BININT1 1", "> 4 0xff"]);
}

#[test]
fn only_so_many_findings_of_a_file_are_shown_with_their_opcodes() {
    let globals: Vec<u8> = (0..100).flat_map(|number| format!("cm{number}\nf\n0").into_bytes()).collect();
    let report = judge("m.pkl", &[&globals[..], b"N."].concat());
    let shown = report.findings.iter().filter(|finding| !finding.excerpt.is_empty()).count();
    assert_eq!(shown, 32);
}
