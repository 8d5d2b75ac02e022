//! TensorFlow Lite models (`tensorflow/compiler/mlir/lite/schema/schema.fbs`, version 3).

mod assets;
mod operator;
mod tensor;

use std::collections::BTreeSet;

use tagship_domain::signature::Signature;

pub(crate) use self::assets::begin as begin_of_assets;
use self::operator::Around;
use super::reader::{Buffer, Table, Vector};
use crate::{
    analyse::Context,
    findings::Findings,
    pages::{Fault, Pages},
    rules,
    stream::{Stop, Stream},
};

/// Bytes behind everything that is looked at that fill the file up.
const LEEWAY: u64 = 16;

/// Inputs or outputs of a graph: more are not told.
const MAX_INTERFACE: usize = 1024;

/// Judges a file; its interface.
pub(crate) fn scan(
    stream: &mut Stream<'_>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Option<Signature>, Stop> {
    let Some(mut pages) = Pages::open(stream, context)? else {
        findings.whole(
            &rules::FLAT_LIMIT,
            "a model too large to be held inside a container; validate it by itself",
        );
        return Err(Stop::Reported);
    };
    let size = pages.size();
    let texts = assets::begin(context).filter(|begin| *begin <= size);
    let end = texts.unwrap_or(size);
    let judged = Model {
        buffer: Buffer::new(&mut pages, 0, end),
        findings,
        counted: BTreeSet::new(),
        calls: BTreeSet::new(),
    }
    .judge();
    super::finish(judged, pages, stream, findings, |forward, findings| match texts {
        Some(begin) => assets::judge(begin, size, context, forward, findings),
        None => Ok(()),
    })
}

struct Model<'m> {
    buffer: Buffer<'m>,
    findings: &'m mut Findings,
    /// Buffers whose weights are counted: tensors share them.
    counted: BTreeSet<u64>,
    /// Which graph runs which.
    calls: BTreeSet<(usize, usize)>,
}

/// Where the bytes of each buffer are; `None` where it has none.
type Buffers = Vec<Option<Vector>>;

impl Model<'_> {
    fn bad(&mut self, table: &Table, what: &str, message: impl Into<String>) {
        self.findings.about(&rules::FLAT_STRUCTURE, Some(table.at), what, message);
    }

    fn judge(mut self) -> Result<Signature, Fault> {
        let model = self.buffer.root()?;
        let version = self.buffer.scalar(&model, 0, 4, 0)?;
        if version != 3 {
            self.bad(&model, "version", format!("schema version {version}; 3 is known here"));
        }
        let mut codes = Vec::new();
        for code in self.buffer.tables(&model, 1)? {
            codes.push(self.operator_code(&code)?);
        }
        self.findings.facts.state("TensorFlow Lite schema", &version.to_string());
        self.findings.facts.state("producer", &self.buffer.text(&model, 3)?);
        let buffers = self.buffers(&model)?;
        let graphs = self.buffer.tables(&model, 2)?;
        if graphs.is_empty() {
            self.bad(&model, "subgraphs", "there is no graph");
        }
        let mut signature = Signature::default();
        for (index, graph) in graphs.iter().enumerate() {
            let around = Around { codes: &codes, graph: index, graphs: graphs.len(), buffers: &buffers };
            let interface = self.graph(graph, &around)?;
            if index == 0 {
                signature = interface;
            }
        }
        if let Some(index) = self.reaches_itself(graphs.len()) {
            self.bad(&model, "subgraphs", format!("graph {index} runs itself, which never ends"));
        }
        self.buffer.integers(&model, 5)?;
        self.signatures(&model, graphs.len())?;
        for metadata in self.buffer.tables(&model, 6)? {
            self.buffer.text(&metadata, 0)?;
            let buffer = self.buffer.scalar(&metadata, 1, 4, 0)?;
            if buffer >= buffers.len() as u64 {
                self.bad(&metadata, "metadata", format!("buffer {buffer} does not exist"));
            }
        }
        let extra = self.buffer.end - self.buffer.reach;
        if extra > LEEWAY {
            let message = format!("{extra} bytes follow the last part of the model");
            self.findings.at(&rules::FLAT_TRAILING, self.buffer.reach, message);
        }
        Ok(signature)
    }

    /// A graph that runs itself, or others that run it.
    fn reaches_itself(&self, graphs: usize) -> Option<usize> {
        let mut waiting = vec![0usize; graphs];
        for (_, callee) in &self.calls {
            waiting[*callee] += 1;
        }
        // Takes away what nobody runs any more, until only circles are left.
        let mut free: Vec<usize> = (0..graphs).filter(|graph| waiting[*graph] == 0).collect();
        while let Some(caller) = free.pop() {
            for (_, callee) in self.calls.range((caller, 0)..(caller + 1, 0)) {
                waiting[*callee] -= 1;
                if waiting[*callee] == 0 {
                    free.push(*callee);
                }
            }
        }
        waiting.iter().position(|count| *count > 0)
    }

    fn buffers(&mut self, model: &Table) -> Result<Buffers, Fault> {
        let mut sizes = Vec::new();
        for table in self.buffer.tables(model, 4)? {
            let data = self.buffer.vector(&table, 0, 1)?;
            let offset = self.buffer.scalar(&table, 1, 8, 0)?;
            let size = self.buffer.scalar(&table, 2, 8, 0)?;
            // Since the 2 GB limit was lifted, data may stand behind the buffer, at these places.
            if offset > 1 && offset.checked_add(size).is_none_or(|end| end > self.buffer.end) {
                return Err(Fault::Outside { at: offset, length: size });
            }
            if offset > 1 {
                self.buffer.reach = self.buffer.reach.max(offset + size);
            }
            let outside = (offset > 1).then_some(Vector { at: offset, count: size });
            sizes.push(data.or(outside));
        }
        Ok(sizes)
    }

    /// The names that callers use: each leads to a graph.
    fn signatures(&mut self, model: &Table, graphs: usize) -> Result<(), Fault> {
        for signature in self.buffer.tables(model, 7)? {
            for field in [0, 1] {
                for tensor in self.buffer.tables(&signature, field)? {
                    self.buffer.text(&tensor, 0)?;
                }
            }
            self.buffer.text(&signature, 2)?;
            let graph = self.buffer.scalar(&signature, 4, 4, 0)?;
            if graph >= graphs as u64 {
                self.bad(&signature, "signature_defs", format!("graph {graph} does not exist"));
            }
        }
        Ok(())
    }

    fn graph(&mut self, graph: &Table, around: &Around<'_>) -> Result<Signature, Fault> {
        self.buffer.text(graph, 4)?;
        let tensors = self.buffer.tables(graph, 0)?;
        let mut specs = Vec::new();
        for tensor in &tensors {
            specs.push(self.tensor(tensor, around.buffers)?);
        }
        let mut signature = Signature::default();
        for (field, list) in [(1, &mut signature.inputs), (2, &mut signature.outputs)] {
            let indices = self.buffer.integers(graph, field)?;
            if indices.len() > MAX_INTERFACE {
                return Err(Fault::Limit { at: graph.at, what: "more inputs or outputs than are followed" });
            }
            for index in indices {
                match usize::try_from(index).ok().and_then(|index| specs.get(index)) {
                    Some(spec) => list.push(spec.clone()),
                    None => self.bad(graph, "subgraphs", format!("tensor {index} does not exist")),
                }
            }
        }
        for operator in self.buffer.tables(graph, 3)? {
            self.operator(&operator, tensors.len(), around)?;
        }
        Ok(signature)
    }
}
