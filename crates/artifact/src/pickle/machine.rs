//! The unpickler's stack machine: one opcode at a time, in the order a loader executes them.
//!
//! Invariants: an opcode that a real unpickler would execute is executed here first, so no finding can be
//! skipped by what follows it; a state that the unpickler would refuse ends the analysis with a finding;
//! memory is bounded by the limits in `value`, and reaching one is never a pass.

use std::collections::HashMap;

use tagship_domain::validation::Severity;

use super::{
    allow::{self, Usage},
    excerpt::Trace,
    heap::Heap,
    literal, opcode,
    opcode::Operand,
    plain::Plain,
    torch::{Dialect, Storage},
    trust::{Standing, Trust, added, left_out},
    utf8::Utf8,
    value::{Full, Kind, Memo, Texts, Value},
};
use crate::{
    findings::Findings,
    rules::{self, Rule},
    stream::{Stop, Stream},
};

/// Bytes of a text that are kept to see whether it names something; longer texts name nothing.
pub(super) const KEPT: usize = 256;
/// Bytes of a line that are kept to see whether it is written as it must be; a longer one is not judged.
pub(super) const LINE: usize = 1 << 20;
/// Values on the stack, and marks.
const MAX_STACK: usize = 4_000_000;
/// Distinct globals.
const MAX_GLOBALS: usize = 50_000;
/// Length that no truncation explains.
const HUGE: u64 = 1 << 31;

/// One global that the stream names.
#[derive(Debug)]
pub(super) struct Global {
    pub(super) module: String,
    pub(super) name: String,
    pub(super) usage: Option<Usage>,
}

/// One pickle stream in execution. An object array inside a joblib file is a stream of its own.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) stack: Vec<Value>,
    pub(super) marks: Vec<usize>,
    pub(super) memo: Memo,
    /// How an unpickler reads it that did not begin here.
    pub(super) plain: Option<Box<Plain>>,
    pub(super) frame_end: Option<u64>,
    opcodes: u64,
}

/// The machine and everything it knows of the file.
pub(super) struct Machine<'m, 'a> {
    pub(super) stream: &'m mut Stream<'a>,
    pub(super) findings: &'m mut Findings,
    pub(super) heap: Heap,
    pub(super) texts: Texts,
    pub(super) globals: Vec<Global>,
    numbers: HashMap<(String, String), u32>,
    pub(super) run: Run,
    /// Streams that wait for an inner one to end.
    pub(super) outer: Vec<Run>,
    pub(super) joblib: bool,
    /// An unpickler that knows nothing of inline arrays has failed at one.
    pub(super) plain_fails: bool,
    pub(super) dialect: Dialect,
    pub(super) trust: Trust<'m>,
    /// Storages that persistent ids name, and their numbers by key.
    pub(super) storages: Vec<Storage>,
    pub(super) storage_numbers: HashMap<String, u32>,
    trace: Trace,
    /// Offset of the opcode in execution.
    pub(super) at: u64,
    /// Kept bytes of the operand, and of its first line where there are two.
    pub(super) kept: Vec<u8>,
    first: Vec<u8>,
    /// Length of the operand, kept or not.
    pub(super) length: u64,
}

impl<'m, 'a> Machine<'m, 'a> {
    pub(super) fn new(
        dialect: Dialect,
        trust: Trust<'m>,
        stream: &'m mut Stream<'a>,
        findings: &'m mut Findings,
    ) -> Self {
        Self {
            stream,
            findings,
            heap: Heap::default(),
            texts: Texts::default(),
            globals: Vec::new(),
            numbers: HashMap::new(),
            run: Run::default(),
            outer: Vec::new(),
            joblib: false,
            plain_fails: false,
            dialect,
            trust,
            storages: Vec::new(),
            storage_numbers: HashMap::new(),
            trace: Trace::default(),
            at: 0,
            kept: Vec::new(),
            first: Vec::new(),
            length: 0,
        }
    }

    /// Runs to the STOP of the outermost stream.
    pub(super) fn run_stream(&mut self) -> Result<(), Stop> {
        loop {
            if self.step()? {
                self.pop()?;
                // Here a plain unpickler is at its end.
                self.plain_fails |= !self.outer.is_empty();
                match self.outer.pop() {
                    Some(outer) => self.run = Run { plain: None, ..outer },
                    None => return Ok(()),
                }
            }
        }
    }

    /// Executes one opcode; whether it was STOP.
    fn step(&mut self) -> Result<bool, Stop> {
        self.at = self.stream.position();
        let opcode = self.stream.u8()?;
        self.trace.begin(self.at, opcode);
        let Some(operand) = opcode::operand(opcode) else {
            return Err(self.fail(&rules::PICKLE_OPCODE, format!("byte {opcode:#04x} is no pickle opcode")));
        };
        let number = self.operand(operand)?;
        self.trace.operand(operand, number, [&self.first, &self.kept], self.length);
        self.trace.follow(self.findings);
        self.run.opcodes += 1;
        if let Some(end) = self.run.frame_end {
            self.check_frame(opcode, end);
        }
        if opcode == opcode::STOP {
            // The next reader begins where the frame ends, or behind the end of the file.
            if self.run.frame_end.is_some() {
                self.note(&rules::FRAME, "a frame that is longer than the pickle in it");
            }
            return Ok(true);
        }
        if self.run.plain.is_some() {
            let mixes = self.check_plain(opcode);
            self.execute(opcode, number)?;
            self.follow_plain(opcode, number, mixes)?;
        } else {
            self.execute(opcode, number)?;
        }
        Ok(false)
    }

    #[inline]
    fn execute(&mut self, opcode: u8, number: u64) -> Result<(), Stop> {
        match opcode {
            opcode::PROTO | opcode::FRAME | opcode::NEXT_BUFFER | opcode::READONLY_BUFFER => {
                self.framing(opcode, number)?;
            }
            opcode::MARK | opcode::POP | opcode::POP_MARK | opcode::DUP => self.stack(opcode)?,
            opcode::PUT
            | opcode::BINPUT
            | opcode::LONG_BINPUT
            | opcode::MEMOIZE
            | opcode::GET
            | opcode::BINGET
            | opcode::LONG_BINGET => self.memo(opcode, number)?,
            opcode::GLOBAL
            | opcode::STACK_GLOBAL
            | opcode::INST
            | opcode::OBJ
            | opcode::REDUCE
            | opcode::NEWOBJ
            | opcode::NEWOBJ_EX
            | opcode::BUILD
            | opcode::EXT1
            | opcode::EXT2
            | opcode::EXT4
            | opcode::PERSID
            | opcode::BINPERSID => self.reach(opcode)?,
            opcode::EMPTY_TUPLE
            | opcode::TUPLE
            | opcode::TUPLE1
            | opcode::TUPLE2
            | opcode::TUPLE3
            | opcode::EMPTY_LIST
            | opcode::LIST
            | opcode::EMPTY_DICT
            | opcode::DICT
            | opcode::EMPTY_SET
            | opcode::FROZENSET => self.make(opcode)?,
            opcode::APPEND | opcode::APPENDS | opcode::SETITEM | opcode::SETITEMS | opcode::ADDITEMS => {
                self.add(opcode)?;
            }
            _ => {
                let value = self.scalar(opcode, number)?;
                self.push(value)?;
            }
        }
        Ok(())
    }

    /// Reads an operand: the number itself, or the text into `kept`.
    #[inline]
    fn operand(&mut self, operand: Operand) -> Result<u64, Stop> {
        match operand {
            Operand::None => Ok(0),
            Operand::Number(width) => self.stream.little_endian(usize::from(width)),
            Operand::Line => {
                self.kept.clear();
                self.length = self.stream.line(LINE, &mut self.kept)?;
                if self.length > LINE as u64 {
                    self.note(&rules::PICKLE_LIMIT, "a line that is longer than is judged");
                }
                Ok(0)
            }
            Operand::TwoLines => {
                self.first.clear();
                self.kept.clear();
                let first = self.stream.line(KEPT, &mut self.first)?;
                self.length = self.stream.line(KEPT, &mut self.kept)?.max(first);
                Ok(0)
            }
            Operand::Counted(width) => {
                let length = self.stream.little_endian(usize::from(width))?;
                self.counted(length)
            }
            Operand::Text(width) => {
                let length = self.stream.little_endian(usize::from(width))?;
                self.long_text(length)
            }
            Operand::SignedCounted => {
                let length = self.stream.little_endian(4)?;
                if length > 0x7fff_ffff {
                    return Err(self.fail(&rules::PICKLE_OPERAND, "a negative length"));
                }
                self.counted(length)
            }
        }
    }

    /// A text is checked where it stands, since only its beginning is kept; a short one where it is used.
    fn long_text(&mut self, length: u64) -> Result<u64, Stop> {
        if length <= KEPT as u64 || length > self.stream.remaining() {
            return self.counted(length);
        }
        self.kept.clear();
        self.length = length;
        let (mut text, kept) = (Utf8::default(), &mut self.kept);
        self.stream.pass(length, |chunk| {
            let wanted = (KEPT - kept.len()).min(chunk.len());
            kept.extend_from_slice(&chunk[..wanted]);
            text.add(chunk);
        })?;
        if text.is_sound() {
            Ok(0)
        } else {
            Err(self.fail(&rules::PICKLE_OPERAND, "a text that is no UTF-8"))
        }
    }

    fn counted(&mut self, length: u64) -> Result<u64, Stop> {
        if length > self.stream.remaining() {
            if length >= HUGE {
                self.note(
                    &rules::LENGTH_BOMB,
                    format!("a length of {length} bytes, which the file does not have"),
                );
            }
            return Err(Stop::Truncated(self.at));
        }
        self.kept.clear();
        self.length = length;
        self.stream.take(length, KEPT, &mut self.kept)?;
        Ok(0)
    }

    /// A frame says how much a loader reads ahead; one that reads opcodes straight ignores it.
    fn check_frame(&mut self, opcode: u8, end: u64) {
        let position = self.stream.position();
        if position >= end {
            self.run.frame_end = None;
        }
        if position > end && self.at < end {
            self.note(&rules::FRAME, "an opcode or operand crosses the end of its frame");
        } else if opcode == opcode::FRAME && self.at < end {
            self.note(&rules::FRAME, "a frame inside a frame");
        }
    }

    fn framing(&mut self, opcode: u8, number: u64) -> Result<(), Stop> {
        match opcode {
            opcode::PROTO if number > 5 => {
                return Err(self.fail(&rules::PROTOCOL, format!("protocol {number} does not exist")));
            }
            opcode::PROTO if self.run.opcodes > 1 => {
                self.note(&rules::PROTOCOL, "a protocol marker that is not the first opcode");
            }
            opcode::FRAME => {
                let start = self.stream.position();
                if number > self.stream.remaining() {
                    self.note(&rules::FRAME, "a frame that is longer than the file");
                }
                self.run.frame_end = Some(start.saturating_add(number)).filter(|end| *end > start);
            }
            opcode::NEXT_BUFFER => {
                self.note(&rules::OUT_OF_BAND, "the pickle expects a buffer that is not in the file");
                self.push(Value::Bytes)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn stack(&mut self, opcode: u8) -> Result<(), Stop> {
        match opcode {
            opcode::MARK => {
                if self.run.marks.len() >= MAX_STACK {
                    return Err(self.limit());
                }
                self.run.marks.push(self.run.stack.len());
            }
            // An unpickler's POP on an empty part of the stack takes the mark below it.
            opcode::POP if self.run.marks.last() == Some(&self.run.stack.len()) => {
                self.run.marks.pop();
            }
            opcode::POP => {
                let value = self.pop()?;
                self.heap.release(value);
            }
            opcode::POP_MARK => {
                for value in self.pop_mark()? {
                    self.heap.release(value);
                }
            }
            _ => {
                let value = self.top()?;
                self.heap.share(value);
                self.push(value)?;
            }
        }
        Ok(())
    }

    /// The entry of the memo that an opcode is about.
    pub(super) fn index(&mut self, opcode: u8, number: u64) -> Result<u32, Stop> {
        match opcode {
            opcode::PUT | opcode::GET => {
                let index = literal::index(&self.kept).filter(|_| self.length <= 10);
                index.ok_or_else(|| self.fail(&rules::LAX_TEXT, "a memo index that is no plain number"))
            }
            opcode::MEMOIZE => Ok(self.run.memo.next()),
            _ => Ok(u32::try_from(number).unwrap_or(u32::MAX)),
        }
    }

    fn memo(&mut self, opcode: u8, number: u64) -> Result<(), Stop> {
        let index = self.index(opcode, number)?;
        if matches!(opcode, opcode::GET | opcode::BINGET | opcode::LONG_BINGET) {
            let Some(value) = self.run.memo.get(index) else {
                return Err(self.fail(&rules::PICKLE_STACK, format!("memo entry {index} was never stored")));
            };
            return self.push(value);
        }
        // Memo indices count stored objects, in one pickler over several dumps too.
        if u64::from(index) > self.stream.position() {
            return Err(self.fail(
                &rules::MEMO_BOMB,
                format!(
                    "memo index {index} after {} opcodes makes a loader reserve memory",
                    self.run.opcodes
                ),
            ));
        }
        let value = self.top()?;
        self.heap.share(value);
        self.run.memo.put(index, value).map_err(|Full| self.limit())
    }

    /// A named global, checked against the allow-list. A push alone imports its module already.
    pub(super) fn global(&mut self, module: &str, name: &str) -> Result<Value, Stop> {
        let (module, name) = allow::normalise(module, name);
        let key = (module, name.to_owned());
        if let Some(number) = self.numbers.get(&key) {
            return Ok(Value::Global(*number));
        }
        if self.globals.len() >= MAX_GLOBALS {
            return Err(self.limit());
        }
        let (module, name) = (&key.0, &key.1);
        let own =
            self.dialect == Dialect::Script && (module == "__torch__" || module.starts_with("__torch__."));
        let usage = if own { Some(Usage::Class) } else { self.usage(module, name) };
        let number = u32::try_from(self.globals.len()).unwrap_or(u32::MAX);
        self.globals.push(Global { module: module.clone(), name: name.clone(), usage });
        self.numbers.insert(key, number);
        Ok(Value::Global(number))
    }

    /// How a global may be used; notes where it may not, and where only the team's policy lets it through.
    fn usage(&mut self, module: &str, name: &str) -> Option<Usage> {
        let standing = self.trust.standing(module, name);
        match standing {
            Standing::Listed(usage) => return Some(usage),
            Standing::Added(usage, addition) => {
                self.note_about(&rules::ADDED_GLOBAL, &format!("{module}.{name}"), added(addition));
                return Some(usage);
            }
            Standing::LeftOut(bundle) => {
                self.note_about(&rules::BUNDLE_REFUSED, &format!("{module}.{name}"), left_out(bundle));
            }
            Standing::Ended(_) | Standing::Unlisted => self.refuse(module, name, standing),
        }
        None
    }

    /// Notes a global that is not on the allow-list, by what is known of it.
    fn refuse(&mut self, module: &str, name: &str, standing: Standing<'_>) {
        let (rule, message) = if allow::is_dangerous(module, name) {
            let message = "loading the file reaches a function that runs code, or reads, writes or connects; do not load it";
            (&rules::DANGEROUS_GLOBAL, message)
        } else if name.contains('.') {
            let message =
                "loading the file walks through attributes of a module to reach this; do not load it";
            (&rules::DOTTED_GLOBAL, message)
        } else if self.dialect == Dialect::Torch && module.split('.').next() == Some("__torch__") {
            let message = "a class of TorchScript, whose code is not in the archive";
            (&rules::TORCH_LAYOUT, message)
        } else {
            let message = "loading the file imports this, which is not on the allow-list; \
                           export the model as ONNX or safetensors";
            (&rules::UNLISTED_GLOBAL, message)
        };
        let ended = match standing {
            Standing::Ended(day) => format!(" (its addition ended on {day})"),
            _ => String::new(),
        };
        self.note_about(rule, &format!("{module}.{name}"), format!("{message}{ended}"));
    }

    /// The global that GLOBAL and INST name in two lines.
    pub(super) fn global_of_lines(&mut self) -> Result<Value, Stop> {
        let names = (String::from_utf8(self.first.clone()), String::from_utf8(self.kept.clone()));
        match names {
            (Ok(module), Ok(name)) if self.length <= KEPT as u64 => self.global(&module, &name),
            _ => {
                self.note(&rules::UNRESOLVED_GLOBAL, "a global whose name is no readable text");
                Ok(Value::Refused)
            }
        }
    }

    pub(super) fn push(&mut self, value: Value) -> Result<(), Stop> {
        if self.run.stack.len() >= MAX_STACK {
            return Err(self.limit());
        }
        self.run.stack.push(value);
        Ok(())
    }

    pub(super) fn pop(&mut self) -> Result<Value, Stop> {
        let last = self.below(1)?;
        let value = self.run.stack[last];
        self.run.stack.truncate(last);
        Ok(value)
    }

    pub(super) fn top(&mut self) -> Result<Value, Stop> {
        let last = self.below(1)?;
        Ok(self.run.stack[last])
    }

    /// Values down to the last mark, in the order they were pushed.
    pub(super) fn pop_mark(&mut self) -> Result<Vec<Value>, Stop> {
        match self.run.marks.pop() {
            Some(mark) => Ok(self.run.stack.split_off(mark)),
            None => Err(self.fail(&rules::PICKLE_STACK, "an opcode takes a mark that was never set")),
        }
    }

    /// Where the last `count` values begin, all above the last mark.
    pub(super) fn below(&mut self, count: usize) -> Result<usize, Stop> {
        let fence = self.run.marks.last().copied().unwrap_or(0);
        match self.run.stack.len().checked_sub(count) {
            Some(begin) if begin >= fence => Ok(begin),
            _ => Err(self.fail(&rules::PICKLE_STACK, "an opcode takes a value that the stack does not hold")),
        }
    }

    pub(super) fn pop_some(&mut self, count: usize) -> Result<Vec<Value>, Stop> {
        let begin = self.below(count)?;
        Ok(self.run.stack.split_off(begin))
    }

    /// Adds a finding at the opcode in execution.
    pub(super) fn note(&mut self, rule: &'static Rule, message: impl Into<String>) {
        let listed = self.findings.listed();
        self.findings.at(rule, self.at, message);
        self.explain(rule, listed, self.at);
    }

    /// Adds a finding about a thing at the opcode in execution.
    pub(super) fn note_about(&mut self, rule: &'static Rule, target: &str, message: impl Into<String>) {
        let listed = self.findings.listed();
        self.findings.about(rule, Some(self.at), target, message);
        self.explain(rule, listed, self.at);
    }

    /// Adds that the stream ends in the middle of what begins at this offset.
    pub(super) fn note_cut(&mut self, offset: u64) {
        let (rule, listed) = (&rules::PICKLE_TRUNCATED, self.findings.listed());
        self.findings.at(rule, offset, "the file ends in the middle of the pickle; write or fetch it again");
        self.explain(rule, listed, offset);
    }

    /// Shows the opcodes around a finding, unless it is one that is listed already.
    fn explain(&mut self, rule: &Rule, place: usize, at: u64) {
        if self.findings.listed() > place && rule.severity > Severity::Info {
            self.trace.explain(place, at, self.findings);
        }
    }

    /// Adds a finding after which a loader could not go on either.
    pub(super) fn fail(&mut self, rule: &'static Rule, message: impl Into<String>) -> Stop {
        self.note(rule, message);
        Stop::Reported
    }

    /// Gives up: the file needs more memory to follow than there is.
    pub(super) fn limit(&mut self) -> Stop {
        self.fail(
            &rules::PICKLE_LIMIT,
            "the pickle holds more objects than are followed; the rest was not judged",
        )
    }

    /// What a value is, for a message.
    pub(super) fn describe(&self, value: Value) -> String {
        match value {
            Value::None => "None".to_owned(),
            Value::Number | Value::Int(_) => "a number".to_owned(),
            Value::Text(_) | Value::LongText => "a text".to_owned(),
            Value::Bytes => "bytes".to_owned(),
            Value::Storage(_) => "a storage".to_owned(),
            Value::Global(number) => self.name(number),
            Value::Refused => "something that was refused".to_owned(),
            Value::Object(id) => match self.heap.get(id).kind {
                Kind::Tuple => "a tuple".to_owned(),
                Kind::List => "a list".to_owned(),
                Kind::Dict => "a dict".to_owned(),
                Kind::Set | Kind::FrozenSet => "a set".to_owned(),
                Kind::Instance(class) => format!("the result of {}", self.name(class)),
            },
        }
    }

    pub(super) fn name(&self, global: u32) -> String {
        let global = &self.globals[global as usize];
        format!("{}.{}", global.module, global.name)
    }
}
