//! The code of a TorchScript archive: a language of its own without imports, whose operators compute. A few of
//! them read or write files; no model needs those.

mod lexer;

use lexer::{Lexer, Token};

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
    "os",
    "subprocess",
    "socket",
    "PythonOp",
    "dist_backward",
    "rpc_async",
    "rpc_remote",
    "rpc_sync",
];

/// How the names of operators begin that read or write files, or play media: those of torchaudio and torchvision.
const REACHING: &[&str] = &["_load_", "_save_", "ffmpeg", "load_", "read_", "save_", "sox_", "write_"];

/// Libraries of operators that PyTorch and the packages beside it bring along.
const LIBRARIES: &[&str] = &[
    "_quantized",
    "aten",
    "cuda",
    "mkldnn",
    "mkldnn_prepacked",
    "prepacked",
    "prim",
    "quantized",
    "quantized_decomposed",
    "sparse",
    "torchaudio",
    "torchvision",
];

/// Libraries of classes that PyTorch brings along, and that only hold weights (`torch.classes`).
const CLASSES: &[&str] = &["metal", "mkldnn", "quantized", "rnn", "sparse", "vulkan", "xnnpack"];

/// Whether an operator of this name reaches outside of the model.
pub(crate) fn reaches(operator: &str) -> bool {
    REACHES.contains(&operator) || REACHING.iter().any(|begin| operator.starts_with(begin))
}

/// Whether PyTorch, or a package beside it, brings this library of operators along.
pub(crate) fn is_library(library: &str) -> bool {
    LIBRARIES.contains(&library)
}

/// Whether a name below `__torch__` is a class of native code that does more than hold weights.
pub(crate) fn is_foreign_class(name: &str) -> bool {
    name.strip_prefix("__torch__.torch.classes.")
        .is_some_and(|rest| !rest.split_once('.').is_some_and(|(library, _)| CLASSES.contains(&library)))
}

/// Hits that are told of one file.
const MAX_HITS: usize = 16;

/// Looks for words by which code would reach outside.
pub(crate) fn scan(stream: &mut Stream<'_>, findings: &mut Findings) -> Result<(), Stop> {
    let mut scan = Scan::default();
    let mut lexer = Lexer::default();
    stream.drain(|offset, bytes| {
        for (at, byte) in bytes.iter().enumerate() {
            lexer.next(*byte, |token| scan.token(offset + at as u64, token));
        }
    })?;
    let end = stream.position();
    lexer.next(b'\n', |token| scan.token(end, token));
    scan.token(end, Token::None);
    for (at, word) in scan.hits {
        let message = "TorchScript code uses this word, by which code reaches files or other code";
        findings.about(&rules::SCRIPT_REACHES, Some(at), word, message);
    }
    for (at, library) in scan.libraries {
        let message = "TorchScript code calls operators of this library, which is not known here";
        findings.about(&rules::SCRIPT_LIBRARY, Some(at), library, message);
    }
    Ok(())
}

/// What was found so far, and the last three tokens.
#[derive(Debug, Default)]
struct Scan {
    earlier: Token,
    before: Token,
    last: Token,
    /// The libraries that may follow here, behind `ops.` and `torch.classes.`.
    library_follows: Option<&'static [&'static str]>,
    /// The library of operators that was named, and whether a dot has followed.
    library: Option<(String, bool)>,
    /// The first word of the names with dots between them that end here.
    root: String,
    /// A word in brackets, which is harmless where something is looked up in it.
    waiting: Option<(u64, String)>,
    /// An attribute is looked up by a text somewhere, as PyTorch writes it for names such as `0`.
    by_text: bool,
    hits: Vec<(u64, String)>,
    libraries: Vec<(u64, String)>,
}

impl Scan {
    fn token(&mut self, at: u64, token: Token) {
        let after_dot = self.before == Token::Sign(b'.');
        let mut named = None;
        if let Some((at, word)) = self.waiting.take()
            && token != Token::Sign(b'.')
        {
            push(&mut self.hits, at, &word);
        }
        if let Token::Word(word) = &self.last {
            let next = |signs: &[u8]| matches!(&token, Token::Sign(sign) if signs.contains(sign));
            // `x.save` and `save (`; an import whatever follows. A plain name may be a variable, and a method be called so. What
            // is looked up in it in turn is a part of the model: an operator has none.
            let is_part = after_dot && !matches!(self.root.as_str(), "" | "ops" | "torch");
            let is_harmless = (is_part && next(b".")) || self.before == Token::Word("def".to_owned());
            if REACHES.contains(&word.as_str())
                && (after_dot || next(b"(.") || word == "import")
                && !is_harmless
            {
                if is_part && next(b")") {
                    self.waiting = Some((at, word.clone()));
                } else {
                    push(&mut self.hits, at, word);
                }
            }
            if word == "ops" && !after_dot && !next(b".") {
                push(&mut self.libraries, at, word);
            }
            if next(b".") {
                named = match word.as_str() {
                    "ops" if !after_dot => Some(LIBRARIES),
                    "classes" if after_dot && self.earlier == Token::Word("torch".to_owned()) => {
                        Some(CLASSES)
                    }
                    _ => None,
                };
            }
        }
        let mut library = None;
        match &token {
            Token::Word(name)
                if self.library_follows.is_some_and(|known| !known.contains(&name.as_str())) =>
            {
                push(&mut self.libraries, at, name);
            }
            Token::Word(name) if self.library_follows == Some(LIBRARIES) => {
                library = Some((name.clone(), false));
            }
            Token::Word(operator)
                if self.library.as_ref().is_some_and(|(_, dot)| *dot) && reaches(operator) =>
            {
                push(&mut self.hits, at, operator);
            }
            Token::Word(word) => self.by_text |= word == "getattr",
            Token::Text(text) if self.by_text && (reaches(text) || is_spelled(text)) => {
                push(&mut self.hits, at, text);
            }
            // Texts beside each other are one to PyTorch.
            Token::Text(text) if self.by_text && matches!(self.last, Token::Text(_)) => {
                push(&mut self.hits, at, text);
            }
            _ => {}
        }
        match self.library.take() {
            Some((name, false)) if token == Token::Sign(b'.') => library = Some((name, true)),
            Some((_, true)) if matches!(token, Token::Word(_)) => {}
            // A library by itself is kept for later, where its operators are not seen.
            Some((name, _)) => push(&mut self.libraries, at, &name),
            None => {}
        }
        match &token {
            Token::Word(word) if self.last != Token::Sign(b'.') => self.root.clone_from(word),
            Token::Word(_) | Token::Sign(b'.') => {}
            _ => self.root.clear(),
        }
        self.library = library;
        self.library_follows = named;
        let before = std::mem::replace(&mut self.last, token);
        self.earlier = std::mem::replace(&mut self.before, before);
    }
}

fn push(list: &mut Vec<(u64, String)>, at: u64, word: &str) {
    if list.len() < MAX_HITS {
        list.push((at, word.to_owned()));
    }
}

/// Whether a text spells characters by their numbers.
fn is_spelled(text: &str) -> bool {
    text.as_bytes().windows(2).any(|pair| {
        pair[0] == b'\\' && (pair[1].is_ascii_digit() || matches!(pair[1], b'x' | b'u' | b'U' | b'N'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(code: &str) -> Vec<String> {
        let mut findings = Findings::new();
        let mut stream = Stream::nested(Box::new(code.as_bytes()), Some(code.len() as u64));
        scan(&mut stream, &mut findings).unwrap();
        findings.into_list(None).into_iter().map(|finding| finding.rule.into_owned()).collect()
    }

    #[test]
    fn code_that_computes_is_sound() {
        for code in [
            "  return torch.linear(x, self.weight)  # load(x)\n  s = \"open(x)\"\n",
            "# it's a load(x)\nx = torch.relu(y)\n",
            "s = \"\"\"a\nopen(x) \"quoted\" os.system\n\"\"\"\nload = 1\n",
            "_0 = getattr(self, \"0\")\nops.prim.RaiseException(\"a\\n\\\"b\\\" save(x)\")\n",
            "_1 = ops.torchvision.nms(b, s, 0.5)\n_2 = self.ops.other(x)\n",
            "s = ''\nt = \"\"\n",
            "x : __torch__.acme.classes.models.Net = self.classes.weight\n",
            "_0 = self.load.weight\n_1 = self.backbone.save.bias\n",
            "  os : __torch__.acme.os.net.Head\n  def load(self, x: Tensor) -> Tensor:\n    return (self.load).forward(x, )\n",
            "_3 = self.load_balance\n_4 : __torch__.torch.classes.quantized.LinearPackedParamsBase\n",
        ] {
            assert_eq!(fired(code), Vec::<String>::new(), "{code}");
        }
    }

    #[test]
    fn words_that_reach_outside_are_found_wherever_code_may_stand() {
        for code in [
            "x = torch.from_file(\"/etc/passwd\")\n",
            "ops.aten.save(x, p)",
            "import os\n",
            "torch.save (x, p)\n",
            "torch . save\\\n (x, p)\n",
            "f = ops.aten.save\nf(x, p)\n",
            "f = ops.aten.save",
            // A quote in a comment opens no text, and a backslash there joins no lines.
            "# it's \\\nops.aten.save(x, p)\n",
            // The end of a long text is not the beginning of another.
            "s = \"\"\"\n\"\"\" + ops.aten.save(x, p)\n",
            "s = '''\n''' + ops.aten.save(x, p)\n",
            "s = \"\" + ops.aten.save(x, p)\n",
            "s = \"\\\\\" + ops.aten.save(x, p)\n",
            "s = \"a\\\nb\" + ops.aten.save(x, p)\n",
            "s = \"\"\"\\\"\"\"\" + ops.aten.save(x, p)\n",
            "f = getattr(ops.aten, \"save\")\n",
            "f = getattr(ops.aten, \"s\\141ve\")\n",
            "f = getattr(ops.aten, \"\"\"save\"\"\")\n",
            "f = getattr(ops.aten, \"sa\" \"ve\")\n",
            "x : __torch__.os.system = y\n",
            "(self.save)(x, p)\n",
            "f = (self.save)\nf(x, p)\n",
            "f = self.save\nf(x, p)\n",
            "(self).save(x, p)\n",
            "def f(self):\n  self.save(x, p)\n",
            "(ops.aten.save).x",
            "ops.aten.rpc_sync(x)\n",
            "x = ops.torchaudio.sox_io_save_audio_file(p, y)\n",
            "f = getattr(ops.torchaudio, \"sox_io_save_audio_file\")\n",
        ] {
            assert!(fired(code).contains(&"TOR105".to_owned()), "{code}: {:?}", fired(code));
        }
    }

    #[test]
    fn operators_of_libraries_that_nobody_knows_are_no_pass() {
        for code in [
            "x = ops.mystery.run(y)\n",
            "o = ops\nx = o.mystery.run(y)\n",
            "x = ops\\\n.mystery.run(y)",
            "o = ops.torchaudio\nx = o.sox_run(y)\n",
            "s : __torch__.torch.classes.dist_c10d.TCPStore\n",
        ] {
            assert_eq!(fired(code), ["TOR106"], "{code}");
        }
    }
}
