//! A file or a part of one as pickles: every stream in it, and every byte behind the last.

use super::{
    machine::{Machine, Run},
    opcode,
    torch::{Dialect, Storage},
    trust::Trust,
};
use crate::{
    findings::Findings,
    rules,
    stream::{Stop, Stream},
};

/// What a pickle turned out to hold.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// joblib's inline arrays.
    pub(crate) joblib: bool,
    /// Storages that lie elsewhere in the container.
    pub(crate) storages: Vec<Storage>,
    /// Distinct globals that it names.
    pub(crate) globals: usize,
}

/// Judges a stream that is a pickle for the loader that reads it: every pickle in it, and every byte after the last.
pub(crate) fn scan_as(
    dialect: Dialect,
    trust: Trust<'_>,
    stream: &mut Stream<'_>,
    findings: &mut Findings,
) -> Result<Outcome, Stop> {
    let mut machine = Machine::new(dialect, trust, stream, findings);
    let mut stop = machine.run_stream();
    while stop.is_ok() {
        match machine.stream.peek()? {
            None => return Ok(machine.outcome()),
            Some(byte) if opcode::operand(byte).is_some() && byte != opcode::STOP => {
                machine.run = Run::default();
                stop = machine.run_stream();
            }
            Some(_) => {
                machine.trailing()?;
                return Ok(machine.outcome());
            }
        }
    }
    match stop {
        Err(Stop::Truncated(offset)) => {
            machine.note_cut(offset);
            Ok(machine.outcome())
        }
        Err(stop) => Err(stop),
        Ok(()) => Ok(machine.outcome()),
    }
}

/// Judges the one pickle that begins here, and leaves the stream behind its STOP.
pub(crate) fn scan_one(
    dialect: Dialect,
    trust: Trust<'_>,
    stream: &mut Stream<'_>,
    findings: &mut Findings,
) -> Result<Outcome, Stop> {
    let mut machine = Machine::new(dialect, trust, stream, findings);
    machine.run_stream()?;
    Ok(machine.outcome())
}

impl Machine<'_, '_> {
    fn outcome(self) -> Outcome {
        Outcome { joblib: self.joblib, storages: self.storages, globals: self.globals.len() }
    }

    /// Bytes after the last stream: no writer leaves any, and a loader that seeks could run them.
    fn trailing(&mut self) -> Result<(), Stop> {
        let start = self.stream.position();
        let count = self.stream.remaining();
        self.findings.at(&rules::TRAILING, start, format!("{count} bytes follow the end of the pickle"));
        let mut previous = 0;
        let mut heads = Vec::new();
        self.stream.drain(|offset, bytes| {
            for (at, byte) in bytes.iter().enumerate() {
                if previous == opcode::PROTO && (2..=5).contains(byte) && heads.len() < 16 {
                    heads.push((offset + at as u64).saturating_sub(1));
                }
                previous = *byte;
            }
        })?;
        for head in heads {
            self.findings.at(&rules::HIDDEN_STREAM, head, "the head of another pickle in unexplained bytes");
        }
        Ok(())
    }
}
