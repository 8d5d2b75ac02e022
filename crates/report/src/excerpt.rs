//! The opcodes around a finding in a pickle as lines of a disassembly.

use tagship_domain::validation::ExcerptLine;

use crate::text::clean;

/// Lines with offset, opcode and argument in columns; the one that the finding is about has an arrow. Texts are cleaned.
pub(crate) fn lines(excerpt: &[ExcerptLine]) -> Vec<String> {
    let offsets = excerpt.iter().map(|line| line.offset.to_string().len()).max().unwrap_or(0);
    let names = excerpt.iter().map(|line| clean(&line.opcode, 24).chars().count()).max().unwrap_or(0);
    let line = |line: &ExcerptLine| {
        let arrow = if line.here { ">" } else { " " };
        let (name, argument) = (clean(&line.opcode, 24), clean(line.argument.as_deref().unwrap_or(""), 60));
        format!("{arrow} {:>offsets$}: {name:<names$} {argument}", line.offset).trim_end().to_owned()
    };
    excerpt.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_the_place_is_marked() {
        let line = |offset, opcode: &'static str, argument: Option<&str>, here| ExcerptLine {
            offset,
            opcode: opcode.into(),
            argument: argument.map(str::to_owned),
            here,
        };
        let excerpt = [
            line(98, "SHORT_BINUNICODE", Some("'sys\u{1b}[2J\ntem'"), false),
            line(106, "MEMOIZE", None, false),
            line(107, "STACK_GLOBAL", None, true),
        ];
        assert_eq!(
            lines(&excerpt),
            ["   98: SHORT_BINUNICODE 'sys\\u{1b}[2J tem'", "  106: MEMOIZE", "> 107: STACK_GLOBAL"]
        );
    }
}
