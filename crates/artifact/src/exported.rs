//! Programs of `torch.export` (PyTorch, `torch/_export/serde`): JSON whose texts the loader turns into Python.
//!
//! Sizes are expressions that sympy evaluates (`serialize.py`, `sympify`), guards become the lines of a function
//! (`torch/export/_unlift.py`), operators are looked up by their path, and a structure may name an enumeration whose module
//! is imported. Each is held against what the exporter writes; what is anything else does not pass.

use crate::{
    findings::Findings,
    json::{Event, Path},
    rules, torchscript,
};

/// Findings that are kept of one program.
const MAX_FINDINGS: usize = 64;

/// Functions of numbers that expressions call.
const FUNCTIONS: &[&str] = &["abs", "ceiling", "exp", "floor", "log", "max", "min", "sqrt"];
/// Classes and constants of sympy and of `torch/utils/_sympy/functions.py`, in order.
#[rustfmt::skip]
const CLASSES: &[&str] = &[
    "Abs", "Add", "And", "BitwiseFn_bitwise_and", "BitwiseFn_bitwise_or", "BitwiseFn_bitwise_xor", "CeilDiv", "CeilToInt",
    "CleanDiv", "Eq", "False", "Float", "FloatPow", "FloatTrueDiv", "FloorDiv", "FloorToInt", "Ge", "Gt", "ITE", "Identity",
    "IntTrueDiv", "Integer", "IsNonOverlappingAndDenseIndicator", "LShift", "Le", "Lt", "Max", "Min", "Mod", "ModularIndexing",
    "Mul", "Ne", "Not", "OpaqueUnaryFn_acos", "OpaqueUnaryFn_asin", "OpaqueUnaryFn_atan", "OpaqueUnaryFn_cos",
    "OpaqueUnaryFn_cosh", "OpaqueUnaryFn_exp", "OpaqueUnaryFn_log", "OpaqueUnaryFn_log2", "OpaqueUnaryFn_sin",
    "OpaqueUnaryFn_sinh", "OpaqueUnaryFn_sqrt", "OpaqueUnaryFn_tan", "OpaqueUnaryFn_tanh", "Or", "Piecewise", "Pow",
    "PowByNatural", "PythonMod", "RShift", "Rational", "RoundDecimal", "RoundToInt", "ToFloat", "True", "TruncToFloat",
    "TruncToInt", "Where", "int_oo", "nan", "oo", "zoo",
];
/// Those of them whose value grows beyond all bounds in a few steps.
const POWERS: &[&str] = &["FloatPow", "LShift", "Pow", "PowByNatural"];
/// Those that grow faster still, and functions.
const EXPONENTIALS: &[&str] = &["OpaqueUnaryFn_cosh", "OpaqueUnaryFn_exp", "OpaqueUnaryFn_sinh", "exp"];
/// What an exponential counts for, beside the numbers that it may be taken of: two of them are too much.
const EXPONENTIAL: u64 = 1 << 9;
/// Largest decimal exponent of a number: those of 64 bits end below.
const MAX_DECIMAL: u64 = 400;
/// Largest power that the numbers of an expression are taken to.
const MAX_EXPONENT: u64 = 1 << 16;
/// Operators that run a graph of the program itself, in order.
const HIGHER_ORDER: &[&str] = &[
    "associative_scan",
    "auto_functionalized",
    "auto_functionalized_v2",
    "cond",
    "flex_attention",
    "hints_wrapper",
    "invoke_subgraph",
    "map",
    "map_impl",
    "out_dtype",
    "scan",
    "strict_mode",
    "while_loop",
    "wrap_with_autocast",
    "wrap_with_set_grad_enabled",
];
/// Words of guards beside the names of inputs.
const GUARD_WORDS: &[&str] = &["L", "and", "False", "is", "None", "not", "or", "True"];
/// What guards ask a tensor, always without arguments.
const GUARD_QUESTIONS: &[&str] = &["size", "storage_offset", "stride"];

/// What was found in a document, should it be such a program.
#[derive(Debug)]
pub(crate) struct Exported {
    is_program: bool,
    /// In any document: no other format has these keys.
    expressions: Findings,
    /// Counts only where the document is a program: other formats use the same keys.
    rest: Findings,
}

impl Default for Exported {
    fn default() -> Self {
        Self { is_program: false, expressions: Findings::new(), rest: Findings::new() }
    }
}

impl Exported {
    /// Whether the document is such a program, as far as it was read.
    pub(crate) fn is_program(&self) -> bool {
        self.is_program
    }

    pub(crate) fn event(&mut self, path: &Path, event: &Event, at: u64) {
        match event {
            Event::ObjectStart if path.depth() == 1 && path.is_key("graph_module") => self.is_program = true,
            Event::Text(text) if path.is_key("expr_str") && !is_expression(text) => {
                let message = "an expression that torch.export evaluates, and that is no plain arithmetic";
                self.expressions.about(&rules::SETTING_RUNS, Some(at), text, message);
            }
            Event::Bool(true) if path.is_key("use_pickle") => {
                let message = "weights that the loader unpickles without looking";
                self.expressions.about(&rules::ACTIVE_SIDECAR, Some(at), "use_pickle", message);
            }
            Event::Text(text) if self.rest.listed() < MAX_FINDINGS => self.text(path, text, at),
            _ => {}
        }
    }

    fn text(&mut self, path: &Path, text: &str, at: u64) {
        if path.is_within("guards_code") && !is_guard(text) {
            let message = "a guard becomes code, and this is no comparison of sizes that torch.export writes";
            self.rest.about(&rules::SETTING_RUNS, Some(at), text, message);
        } else if path.is_key("target") || path.is_key("as_operator") {
            self.target(text, at);
        } else if path.is_key("name") || path.is_within("forward_arg_names") {
            // The function of the graph is written as source text, with these names in it.
            if !is_name(text, "") {
                let message = "a name becomes source text, and this is none";
                self.rest.about(&rules::SETTING_RUNS, Some(at), text, message);
            }
        } else if path.key().ends_with("_name") {
            if !is_name(text, ".") {
                let message = "a path of attributes becomes source text, and this is none";
                self.rest.about(&rules::SETTING_RUNS, Some(at), text, message);
            }
        } else if (path.is_key("in_spec") || path.is_key("out_spec"))
            && (text.contains("__enum__") || !is_structure(text))
        {
            let message = "the structure of the inputs names more than plain containers and keys, and becomes source text or an import";
            self.rest.about(&rules::ACTIVE_SIDECAR, Some(at), text, message);
        }
    }

    /// An operator by its path.
    fn target(&mut self, target: &str, at: u64) {
        let mut parts = target.split('.');
        let plain = target.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        let known = match (parts.next(), parts.next(), parts.next()) {
            (Some("torch"), Some("ops"), Some(library)) => {
                if parts.any(torchscript::reaches) {
                    let message = "an operator that reads or writes files";
                    self.rest.about(&rules::SCRIPT_REACHES, Some(at), target, message);
                    return;
                }
                let operator = target.split('.').nth(3).unwrap_or_default();
                torchscript::is_library(library)
                    || (library == "higher_order" && HIGHER_ORDER.contains(&operator))
            }
            (Some("torch"), Some(name), None) => {
                name.starts_with("sym_") || name.starts_with("_sym_") || name.starts_with("_check")
            }
            (Some("_operator" | "math"), Some(_), None) => true,
            _ => false,
        };
        if !known || !plain {
            let message = "an operator of a library that is not known here";
            self.rest.about(&rules::SCRIPT_LIBRARY, Some(at), target, message);
        }
    }

    pub(crate) fn report(self, findings: &mut Findings) {
        findings.append(self.expressions);
        if self.is_program {
            findings.append(self.rest);
        }
    }
}

/// Whether a text is a name of Python, with these signs in between.
fn is_name(text: &str, signs: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c == '_' || signs.contains(c))
}

/// Whether a structure, JSON in a text, is made of plain containers and keys.
fn is_structure(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || " _.,:\"\\[]{}-".contains(c)) && !text.contains("\\u")
}

/// A piece of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Number(u32),
    Word(&'t str),
    /// A text in single quotes that hides nothing.
    Text,
    Sign(u8),
}

/// Takes an expression apart; `None` where a piece is of no kind that is written.
fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let bytes = text.as_bytes();
    let run = |from: usize, belongs: fn(u8) -> bool| {
        bytes[from..].iter().position(|byte| !belongs(*byte)).map_or(bytes.len(), |length| from + length)
    };
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at).copied() {
        match byte {
            b' ' => at += 1,
            b'0'..=b'9' => {
                let start = at;
                at = run(at, |byte| byte.is_ascii_digit());
                if bytes.get(at) == Some(&b'.') {
                    at = run(at + 1, |byte| byte.is_ascii_digit());
                }
                // A word may not begin where a number ends, but for an exponent.
                if matches!(bytes.get(at), Some(b'e' | b'E')) {
                    at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
                    let exponent = at;
                    at = run(at, |byte| byte.is_ascii_digit());
                    text[exponent..at].parse().ok().filter(|exponent: &u64| *exponent <= MAX_DECIMAL)?;
                }
                let number = above(text[start..at].parse().ok()?);
                if bytes.get(at).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
                    return None;
                }
                tokens.push(Token::Number(number));
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let end = run(at, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
                tokens.push(Token::Word(&text[at..end]));
                at = end;
            }
            b'\'' => {
                let end = run(at + 1, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
                if bytes.get(end) != Some(&b'\'') {
                    return None;
                }
                tokens.push(Token::Text);
                at = end + 1;
            }
            b'+' | b'-' | b'*' | b'/' | b'%' | b'(' | b')' | b'[' | b']' | b',' | b'<' | b'>' | b'='
            | b'!' | b'&' | b'|' | b'~' | b'.' => {
                tokens.push(Token::Sign(byte));
                at += 1;
            }
            _ => return None,
        }
    }
    Some(tokens)
}

/// The next whole number; the largest where it is larger.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
fn above(number: f64) -> u32 {
    number.ceil() as u32
}

/// Whether a word is a symbol as the tracer numbers them, for example `s0`, `u3` or `zuf1`.
fn is_symbol(word: &str) -> bool {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_lowercase());
    (1..=4).contains(&(word.len() - digits.len()))
        && !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the powers in an expression, should each be taken to the next, stay far below what evaluating them could exhaust.
fn stays_small(tokens: &[Token<'_>]) -> bool {
    let number = |token: &Token<'_>| {
        if let Token::Number(number) = token { Some(u64::from(*number)) } else { None }
    };
    let numbers = || tokens.iter().filter_map(number);
    let largest = numbers().fold(2, u64::max);
    let product = numbers().fold(EXPONENTIAL, |product, number| product.saturating_mul(number.max(1)));
    let mut exponent = 1u64;
    for (at, token) in tokens.iter().enumerate() {
        let factor = match token {
            Token::Sign(b'*') if tokens.get(at + 1) == Some(&Token::Sign(b'*')) => match tokens.get(at + 2) {
                // A power of a power is taken from the right.
                Some(Token::Number(_)) if tokens.get(at + 3..at + 5) == Some(&[Token::Sign(b'*'); 2]) => {
                    return false;
                }
                Some(Token::Number(number)) => u64::from(*number).max(1),
                _ => return false,
            },
            // The exporter writes LShift.
            Token::Sign(b'<') if tokens.get(at + 1) == Some(&Token::Sign(b'<')) => return false,
            // What the exponent is, is not followed: it could be the largest number, but not a power.
            Token::Word(word) if POWERS.contains(word) => largest,
            Token::Word(word) if EXPONENTIALS.contains(word) => product,
            _ => 1,
        };
        exponent = exponent.saturating_mul(factor);
        if exponent > MAX_EXPONENT {
            return false;
        }
    }
    true
}

/// Whether an expression over sizes is one of those that `torch.export` writes: symbols, numbers, operators and calls of
/// listed classes and functions. Nothing that is not listed is ever called.
fn is_expression(text: &str) -> bool {
    let Some(tokens) = tokens(text).filter(|tokens| stays_small(tokens)) else { return false };
    tokens.iter().enumerate().all(|(at, token)| {
        let called = tokens.get(at + 1) == Some(&Token::Sign(b'('));
        match token {
            Token::Number(_) | Token::Sign(b')') => !called,
            Token::Word(word) if CLASSES.contains(word) => true,
            Token::Word(word) if FUNCTIONS.contains(word) => called,
            Token::Word(word) => is_symbol(word) && !called,
            Token::Text | Token::Sign(b'.' | b'[' | b']') => false,
            Token::Sign(_) => true,
        }
    })
}

/// Whether a guard compares sizes of inputs, which are looked up in `L` by name and number.
fn is_guard(text: &str) -> bool {
    let Some(tokens) = tokens(text).filter(|tokens| stays_small(tokens)) else { return false };
    let sign = |at: usize, sign: u8| tokens.get(at) == Some(&Token::Sign(sign));
    tokens.iter().enumerate().all(|(at, token)| match token {
        Token::Number(_) | Token::Sign(b')' | b']') => !sign(at + 1, b'('),
        Token::Text => at > 0 && sign(at - 1, b'[') && sign(at + 1, b']'),
        Token::Word(word) if at > 0 && sign(at - 1, b'.') => {
            GUARD_QUESTIONS.contains(word) && sign(at + 1, b'(') && sign(at + 2, b')')
        }
        Token::Word(word) if GUARD_WORDS.contains(word) => *word != "L" || sign(at + 1, b'['),
        Token::Word(word) => sign(at + 1, b'(') && (CLASSES.contains(word) || FUNCTIONS.contains(word)),
        Token::Sign(b'[') => {
            // What is looked up is one name or one number.
            matches!(tokens.get(at + 1), Some(Token::Text | Token::Number(_))) && sign(at + 2, b']')
        }
        Token::Sign(_) => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::{judge, rules};

    #[test]
    fn what_a_loader_would_look_up_is_told_in_any_document() {
        for (name, text) in [
            ("model.json", r#"{"graph_module":{"in_spec":"x=__import__('os').system('id')"}}"#),
            ("model.json", r#"{"graph_module":{"in_spec":"[{\"__enum__\": true}]"}}"#),
            ("weights.json", r#"{"config":{"w":{"use_pickle":true}}}"#),
            ("schema.json", r#"{"__class__":"system","__module__":"os","__loader__":"FunctionNode"}"#),
        ] {
            let report = judge(name, text.as_bytes());
            assert!(rules(&report).contains(&"INT109"), "{text}: {:?}", report.findings);
        }
        let plain = r#"{"graph_module":{"in_spec":"[1, {\"type\": \"builtins.tuple\"}]","name":"x_1"},"use_pickle":false}"#;
        assert!(!rules(&judge("model.json", plain.as_bytes())).contains(&"INT109"));
    }

    #[test]
    fn sizes_are_arithmetic() {
        for sound in [
            "s0",
            "2*s0 + 1",
            "Max(1, s0)",
            "FloorDiv(s77, 2)",
            "floor(s0/2)",
            "-u3",
            "1.5*s0",
            "1e-05*s1",
            "Eq(s0, 4)",
            "(s0 + 1)*(s1 - 1)",
            "Piecewise((1, s0 > 2), (0, True))",
            "-int_oo",
            "s0**2",
            "s0**2*s1**2*(s2 + 1)**2",
            "Pow(s0, 2)",
            "9223372036854775807*s0",
            "s0**0.5",
            "floor(exp(s0/2))",
        ] {
            assert!(is_expression(sound), "{sound}");
        }
        for hostile in [
            "__import__('os').system('id')",
            "(eval)((chr)(95))",
            "eval(s0)",
            "(s0)(s1)",
            "s0(1)",
            "lambda: 1",
            "Integer.real",
            "x",
            "getattr",
            "chr",
            "1(2)",
            "1eval",
            "'a'",
            "s0[0]",
            "9**9**9",
            "9**(9**9)",
            "(((9**99)**99)**99)",
            "9**99999999",
            "2**s0",
            "Pow(9, Pow(9, Pow(9, 9999)))",
            "LShift(1, 99999999)",
            "1<<68719476736",
            "s0 << 68719476736",
            "floor(1e99999)",
            "1e",
            "2**1e9",
            "floor(exp(exp(9)))",
            "floor(exp(99999999))",
            "floor(OpaqueUnaryFn_exp(9**99))",
            "OpaqueUnaryFn_cosh(OpaqueUnaryFn_sinh(9))",
            "s0;s1",
        ] {
            assert!(!is_expression(hostile), "{hostile}");
        }
    }

    #[test]
    fn guards_compare_sizes_of_inputs() {
        for sound in [
            "L['x'].size()[0] >= 2",
            "L['args'][0][1].size()[1] == 4*L['kwargs']['y'].stride()[0]",
            "not (L['x'].storage_offset() != 0) and True",
            "Mod(L['x'].size()[0], 8) == 0",
            "L['x'] is None",
        ] {
            assert!(is_guard(sound), "{sound}");
        }
        for hostile in [
            "__import__('os').system('id')",
            "L['x'].__class__",
            "L['x'].size(1)",
            "L",
            "L['x'](1)",
            "(L['x'])(1)",
            "eval('x')",
            "exec",
            "'x'",
            "L['a\\'].b",
            "1\n2",
            "[L]",
        ] {
            assert!(!is_guard(hostile), "{hostile}");
        }
    }

    #[test]
    fn operators_are_those_of_pytorch() {
        let judge = |target: &str| {
            let mut exported = Exported { is_program: true, ..Exported::default() };
            exported.target(target, 0);
            let mut findings = Findings::new();
            exported.report(&mut findings);
            findings.into_list(None).into_iter().map(|finding| finding.rule.into_owned()).collect::<Vec<_>>()
        };
        for sound in [
            "torch.ops.aten.add.Tensor",
            "torch.ops.higher_order.cond",
            "_operator.mul",
            "math.trunc",
            "torch.sym_max",
            "torch._check_is_size",
        ] {
            assert_eq!(judge(sound), Vec::<String>::new(), "{sound}");
        }
        assert_eq!(judge("torch.ops.aten.from_file.default"), ["TOR105"]);
        for unknown in [
            "torch.ops.evil.run.default",
            "torch.os.system",
            "os.system",
            "torch.ops.higher_order.call_torchbind",
        ] {
            assert_eq!(judge(unknown), ["TOR106"], "{unknown}");
        }
    }
}
