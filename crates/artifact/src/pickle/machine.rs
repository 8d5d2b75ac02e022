//! The unpickler's stack machine: one opcode at a time, in the order a loader executes them.
//!
//! Invariants: an opcode that a real unpickler would execute is executed here first, so no finding can be
//! skipped by what follows it; a state that the unpickler would refuse ends the analysis with a finding;
//! memory is bounded by the limits in `value`, and reaching one is never a pass.

use std::collections::HashMap;

use super::{
    array::Array,
    content::Content,
    excerpt::Trace,
    global::Global,
    heap::Heap,
    opcode,
    plain::Plain,
    sparse::Matrix,
    texts::Texts,
    torch::{Dialect, Storage},
    trust::Trust,
    value::{Memo, Value},
};
use crate::{
    findings::Findings,
    rules,
    stream::{Stop, Stream},
};

/// One pickle stream in execution. An object array inside a joblib file is a stream of its own.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) stack: Vec<Value>,
    pub(super) marks: Vec<usize>,
    pub(super) memo: Memo,
    /// How an unpickler reads it that did not begin here.
    pub(super) plain: Option<Box<Plain>>,
    pub(super) frame_end: Option<u64>,
    pub(super) opcodes: u64,
}

/// The machine and everything it knows of the file.
pub(super) struct Machine<'m, 'a> {
    pub(super) stream: &'m mut Stream<'a>,
    pub(super) findings: &'m mut Findings,
    pub(super) heap: Heap,
    pub(super) texts: Texts,
    pub(super) globals: Vec<Global>,
    /// Numbers of the globals by module and name.
    pub(super) numbers: HashMap<(String, String), u32>,
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
    /// Bytes whose content is known, and that of the operand.
    pub(super) buffers: Vec<Content>,
    pub(super) content: Option<Content>,
    /// The stream has named a tree of scikit-learn.
    pub(super) trees: bool,
    /// It has named a sparse matrix, or a model of support vectors.
    pub(super) indices: bool,
    /// Arrays, and bytes that become some.
    pub(super) arrays: Vec<Array>,
    /// Sparse matrices by rows.
    pub(super) matrices: Vec<Matrix>,
    /// The stream has named a class whose state holds a model of a native library.
    pub(super) boosters: bool,
    /// Arrow's function that takes bytes, where the stream has named it.
    pub(super) py_buffer: Option<u32>,
    /// The globals named that may not be kept as data.
    pub(super) guarded: Vec<u32>,
    /// Instances of `numpy.vectorize` that have no state yet.
    pub(super) unfinished: u32,
    /// Trees of neighbours that have no state yet.
    pub(super) rootless: u32,
    pub(super) trace: Trace,
    /// Offset of the opcode in execution.
    pub(super) at: u64,
    /// Kept bytes of the operand, and of its first line where there are two.
    pub(super) kept: Vec<u8>,
    pub(super) first: Vec<u8>,
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
            buffers: Vec::new(),
            content: None,
            trees: false,
            indices: false,
            arrays: Vec::new(),
            matrices: Vec::new(),
            boosters: false,
            py_buffer: None,
            guarded: Vec::new(),
            unfinished: 0,
            rootless: 0,
            trace: Trace::default(),
            at: 0,
            kept: Vec::new(),
            first: Vec::new(),
            length: 0,
        }
    }

    /// Runs to the STOP of the outermost stream, or to where it cannot go on.
    pub(super) fn run_stream(&mut self) -> Result<(), Stop> {
        let ended = self.run_to_stop();
        // Where the stream ends early, what it has named and not called yet is told too.
        let inner = std::mem::take(&mut self.run.stack);
        self.keep(&inner);
        for outer in std::mem::take(&mut self.outer) {
            self.keep(&outer.stack);
        }
        self.check_finished();
        self.check_rooted();
        ended
    }

    fn run_to_stop(&mut self) -> Result<(), Stop> {
        loop {
            if self.step()? {
                let result = self.pop()?;
                self.keep(&[result]);
                // Here a plain unpickler is at its end.
                self.plain_fails |= !self.outer.is_empty();
                match self.outer.pop() {
                    Some(outer) => {
                        self.run = Run { plain: None, ..outer };
                        // What was on its own are the elements of the array in the wrapper's place.
                        let array = self.top()?;
                        self.heap.hold(array, result);
                    }
                    None => return Ok(()),
                }
            }
        }
    }

    /// Executes one opcode; whether it was STOP.
    fn step(&mut self) -> Result<bool, Stop> {
        self.at = self.stream.position();
        let (opcode, number) = self.opcode()?;
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

    /// Reads an opcode and its operand: the number, or the text into `kept`.
    #[inline]
    fn opcode(&mut self) -> Result<(u8, u64), Stop> {
        if let Some([opcode, behind @ ..]) = self.stream.ahead::<9>()
            && let Some((number, width)) = opcode::number(opcode, behind)
        {
            self.stream.advance(1 + width);
            self.trace.number(self.at, opcode, number);
            return Ok((opcode, number));
        }
        let opcode = self.stream.u8()?;
        self.trace.begin(self.at, opcode);
        let Some(operand) = opcode::operand(opcode) else {
            return Err(self.fail(&rules::PICKLE_OPCODE, format!("byte {opcode:#04x} is no pickle opcode")));
        };
        let number = self.operand(operand)?;
        self.trace.operand(operand, number, [&self.first, &self.kept], self.length);
        Ok((opcode, number))
    }

    #[inline]
    fn execute(&mut self, opcode: u8, number: u64) -> Result<(), Stop> {
        match opcode {
            opcode::BININT | opcode::BININT1 | opcode::BININT2 => {
                self.push(Value::Int(u32::try_from(number).unwrap_or(0).cast_signed()))?;
            }
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
                let value = self.scalar(opcode)?;
                self.push(value)?;
            }
        }
        Ok(())
    }
}
