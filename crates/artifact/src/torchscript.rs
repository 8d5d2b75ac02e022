//! The code of a TorchScript archive: a language of its own without imports, whose operators compute. A few of
//! them read or write files; no model needs those.

use crate::{
    findings::Findings,
    rules,
    stream::{Stop, Stream},
};

/// Operators and words that reach outside of the model. Only whole words count.
const REACHES: &[&str] = &[
    "from_file",
    "save",
    "load",
    "_load",
    "import",
    "exec",
    "eval",
    "open",
    "__import__",
    "system",
    "fork_exec",
    "load_library",
    "_save",
    "write_file",
    "read_file",
    "getattr",
    "os",
    "subprocess",
    "socket",
];

/// Looks for words by which code would reach outside.
pub(crate) fn scan(stream: &mut Stream<'_>, findings: &mut Findings) -> Result<(), Stop> {
    let mut words = Words::default();
    let mut hits: Vec<(u64, &str)> = Vec::new();
    let mut look = |offset: u64, byte: u8| {
        let Some(word) = words.next(byte) else { return };
        let reach = REACHES.iter().find(|reach| reach.as_bytes() == word);
        if let Some(reach) = reach.filter(|_| matches!(byte, b'(' | b'.') || word == b"import")
            && hits.len() < 16
        {
            hits.push((offset, reach));
        }
    };
    stream.drain(|offset, bytes| {
        for (at, byte) in bytes.iter().enumerate() {
            look(offset + at as u64, *byte);
        }
    })?;
    for (offset, hit) in hits {
        findings.about(
            &rules::SCRIPT_REACHES,
            Some(offset),
            hit,
            "TorchScript code uses this word, by which code reaches files or other code",
        );
    }
    Ok(())
}

/// Cuts code into words, without those in quotes.
#[derive(Debug, Default)]
struct Words {
    word: Vec<u8>,
    done: Vec<u8>,
    quote: Option<u8>,
    escaped: bool,
}

impl Words {
    /// The word that this byte ends.
    fn next(&mut self, byte: u8) -> Option<&[u8]> {
        if let Some(quote) = self.quote {
            if !self.escaped && (byte == quote || byte == b'\n') {
                self.quote = None;
            }
            self.escaped = !self.escaped && byte == b'\\';
            return None;
        }
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            if self.word.len() < 64 {
                self.word.push(byte);
            }
            return None;
        }
        if matches!(byte, b'"' | b'\'') {
            self.quote = Some(byte);
        }
        std::mem::swap(&mut self.word, &mut self.done);
        self.word.clear();
        Some(&self.done).filter(|word| !word.is_empty()).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(code: &str) -> usize {
        let mut findings = Findings::new();
        let mut stream = Stream::nested(Box::new(code.as_bytes()), Some(code.len() as u64));
        scan(&mut stream, &mut findings).unwrap();
        findings.into_list(None).len()
    }

    #[test]
    fn only_words_that_reach_outside_count() {
        assert_eq!(hits("  return torch.linear(x, self.weight)  # load\n  s = \"open(x)\"\n"), 0);
        assert_eq!(hits("x = torch.from_file(\"/etc/passwd\")\n"), 1);
        assert_eq!(hits("ops.aten.save(x, p)\nimport os\n"), 2);
    }
}
