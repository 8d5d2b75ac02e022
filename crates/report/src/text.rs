//! Foreign text on one line: nothing that moves the cursor, hides, reorders or piles up, and never too long.
//!
//! Names, messages, metric labels, paths, findings and error texts come from files and people that nobody vouches
//! for. Every renderer takes them through [`clean`] first; escaping for Markdown comes on top of that.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Combining marks that may follow one character; more only serve to paint over neighbouring lines.
const MAX_COMBINING: usize = 2;

/// `foreign` as one line of at most `limit` characters: white space becomes single spaces, control and invisible
/// characters become visible (`\u{202e}`), piled-up combining marks are dropped, and a cut ends in `…`.
pub fn clean(foreign: &str, limit: usize) -> String {
    let mut line = Line { text: String::new(), count: 0, limit, combining: 0, space: false };
    for character in foreign.chars() {
        if !line.take(character) {
            break;
        }
    }
    line.text
}

struct Line {
    text: String,
    count: usize,
    limit: usize,
    combining: usize,
    /// White space was seen and is not written yet: it is written only between two other characters.
    space: bool,
}

impl Line {
    /// Takes one character; false once the line is full.
    fn take(&mut self, character: char) -> bool {
        if character.is_whitespace() {
            self.space = self.count > 0;
            return true;
        }
        // They only choose between two pictures of the character before them.
        if matches!(character, '\u{fe00}'..='\u{fe0f}') {
            return true;
        }
        if is_invisible(character) {
            return self.write(&format!("\\u{{{:x}}}", u32::from(character)));
        }
        if character.width() == Some(0) {
            self.combining += 1;
            if self.combining > MAX_COMBINING {
                return true;
            }
        } else {
            self.combining = 0;
        }
        self.write(character.encode_utf8(&mut [0; 4]))
    }

    fn write(&mut self, piece: &str) -> bool {
        let length = piece.chars().count() + usize::from(self.space);
        if self.count + length > self.limit {
            self.cut();
            return false;
        }
        if std::mem::take(&mut self.space) {
            self.text.push(' ');
        }
        self.text.push_str(piece);
        self.count += length;
        true
    }

    fn cut(&mut self) {
        if self.count == self.limit {
            self.text.pop();
        }
        if self.limit > 0 {
            self.text.push('…');
        }
    }
}

/// Characters that show nothing and yet change what is read: controls, bidirectional overrides, zero-width and
/// filler characters, tags (Unicode 16, categories Cc and Cf and the default-ignorable fillers).
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Columns that a text takes in a terminal.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// `1 check`, `2 checks`: a count with its noun, which takes a plain `s`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_shown_and_what_breaks_lines_is_a_space() {
        assert_eq!(clean("  a\r\n\tb\u{2028}c ", 80), "a b c");
        assert_eq!(clean("x\u{1b}[31m\u{202e}y\u{0}", 80), "x\\u{1b}[31m\\u{202e}y\\u{0}");
        assert_eq!(clean("e\u{301}\u{301}\u{301}\u{301}f", 80), "e\u{301}\u{301}f");
        assert_eq!(clean("naïve 模型 Ωμ", 80), "naïve 模型 Ωμ");
    }

    #[test]
    fn a_cut_is_marked_and_within_the_limit() {
        assert_eq!(clean("abcdef", 6), "abcdef");
        assert_eq!(clean("abcdefg", 6), "abcde…");
        assert_eq!(clean("abc def", 4), "abc…");
        assert_eq!(clean("abcd", 0), "");
        for limit in 0..12 {
            assert!(clean("a \u{202e}bc\u{7}d e", limit).chars().count() <= limit);
        }
    }
}
