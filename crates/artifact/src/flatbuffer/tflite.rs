//! TensorFlow Lite models (`tensorflow/compiler/mlir/lite/schema/schema.fbs`, version 3).

use std::collections::BTreeSet;

use tagship_domain::signature::{Signature, TensorSpec};

use super::reader::{Buffer, Table};
use crate::{
    analyse::Context,
    findings::Findings,
    pages::{Fault, Pages},
    rules,
    stream::{Stop, Stream},
    tensorflow,
};

/// The operator code that stands for one by name.
const CUSTOM: u64 = 32;

/// Element types in order: bits per element (0 where they vary) and name in the Open Inference Protocol.
const TYPES: &[(u64, &str)] = &[
    (32, "FP32"),
    (16, "FP16"),
    (32, "INT32"),
    (8, "UINT8"),
    (64, "INT64"),
    (0, "BYTES"),
    (8, "BOOL"),
    (16, "INT16"),
    (64, "COMPLEX64"),
    (8, "INT8"),
    (64, "FP64"),
    (128, "COMPLEX128"),
    (64, "UINT64"),
    (0, "RESOURCE"),
    (0, "VARIANT"),
    (32, "UINT32"),
    (16, "UINT16"),
    (4, "INT4"),
    (16, "BF16"),
];

/// Bytes behind everything that is looked at that may be parts of it: the settings of one operator, a signature.
const LEEWAY: u64 = 256;

/// Inputs or outputs of a graph, and axes of a tensor: more are not told.
const MAX_INTERFACE: usize = 1024;
const MAX_AXES: usize = 64;

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
    let end = pages.size();
    let judged =
        Model { buffer: Buffer::new(&mut pages, 0, end), findings, counted: BTreeSet::new() }.judge();
    super::finish(judged, pages, stream, findings)
}

struct Model<'m> {
    buffer: Buffer<'m>,
    findings: &'m mut Findings,
    /// Buffers whose weights are counted: tensors share them.
    counted: BTreeSet<u64>,
}

/// Bytes of each buffer; `None` where they lie behind the model.
type Buffers = Vec<Option<u64>>;

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
        let codes = self.buffer.tables(&model, 1)?;
        for code in &codes {
            self.operator_code(code)?;
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
            let interface = self.graph(graph, codes.len(), &buffers)?;
            if index == 0 {
                signature = interface;
            }
        }
        for metadata in self.buffer.tables(&model, 6)? {
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

    /// An operator by name is native code of the application, or TensorFlow's.
    fn operator_code(&mut self, code: &Table) -> Result<(), Fault> {
        let number = self.buffer.scalar(code, 0, 1, 0)?.max(self.buffer.scalar(code, 3, 4, 0)?);
        let name = self.buffer.text(code, 1)?;
        let at = Some(code.at);
        if let Some(operator) = name.strip_prefix("Flex") {
            let message = "the model runs this operator of TensorFlow";
            let rule = tensorflow::judge_operator(operator).unwrap_or(&rules::TFLITE_FLEX);
            self.findings.about(rule, at, &name, message);
        } else if number == CUSTOM {
            let message = "this operator needs native code that is not in the file";
            self.findings.about(&rules::TFLITE_CUSTOM, at, &name, message);
        }
        Ok(())
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
            let outside = (offset > 1).then_some(size);
            sizes.push(data.map(|data| data.count).or(outside));
        }
        Ok(sizes)
    }

    fn graph(&mut self, graph: &Table, codes: usize, buffers: &Buffers) -> Result<Signature, Fault> {
        let tensors = self.buffer.tables(graph, 0)?;
        let mut specs = Vec::new();
        for tensor in &tensors {
            specs.push(self.tensor(tensor, buffers)?);
        }
        let is_tensor = |index: &i32| usize::try_from(*index).is_ok_and(|index| index < tensors.len());
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
            let code = self.buffer.scalar(&operator, 0, 4, 0)?;
            if code >= codes as u64 {
                self.bad(&operator, "operators", format!("operator code {code} does not exist"));
            }
            let inputs = self.buffer.integers(&operator, 1)?;
            let outputs = self.buffer.integers(&operator, 2)?;
            self.buffer.child(&operator, 4)?;
            self.buffer.vector(&operator, 5, 1)?;
            // An input that is left out is written as -1.
            let missing =
                inputs.iter().filter(|index| **index != -1).chain(&outputs).find(|index| !is_tensor(index));
            if let Some(missing) = missing {
                self.bad(&operator, "operators", format!("tensor {missing} does not exist"));
            }
        }
        Ok(signature)
    }

    fn tensor(&mut self, tensor: &Table, buffers: &Buffers) -> Result<TensorSpec, Fault> {
        let name = self.buffer.text(tensor, 3)?;
        let shape = self.buffer.integers(tensor, 0)?;
        let free = self.buffer.integers(tensor, 7)?;
        if shape.len().max(free.len()) > MAX_AXES {
            return Err(Fault::Limit { at: tensor.at, what: "a tensor of more axes than are followed" });
        }
        let kind = self.buffer.scalar(tensor, 1, 1, 0)?;
        let index = self.buffer.scalar(tensor, 2, 4, 0)?;
        if let Some(quantization) = self.buffer.child(tensor, 4)? {
            for (field, width) in [(0, 4), (1, 4), (2, 4), (3, 8)] {
                self.buffer.vector(&quantization, field, width)?;
            }
        }
        let sparse = self.buffer.child(tensor, 6)?.is_some();
        let known = usize::try_from(kind).ok().and_then(|kind| TYPES.get(kind));
        let data = usize::try_from(index).ok().and_then(|index| buffers.get(index));
        let elements =
            shape.iter().try_fold(1u64, |product, size| product.checked_mul(u64::try_from(*size).ok()?));
        match (known, data, elements) {
            (None, _, _) => self.bad(tensor, &name, format!("element type {kind} does not exist")),
            (_, None, _) => self.bad(tensor, &name, format!("buffer {index} does not exist")),
            (_, _, None) => self.bad(tensor, &name, format!("shape {shape:?} is impossible")),
            (Some((bits, _)), Some(Some(size)), Some(elements)) if *bits > 0 && *size > 0 && !sparse => {
                let wanted = u128::from(elements) * u128::from(*bits);
                if wanted.div_ceil(8) != u128::from(*size) {
                    self.bad(tensor, &name, format!("{size} bytes for shape {shape:?}"));
                }
            }
            _ => {}
        }
        if let (Some((1.., kind)), Some(Some(1..))) = (known, data)
            && self.counted.insert(index)
        {
            self.findings.facts.tensor(kind, elements.filter(|_| !sparse));
        }
        let datatype = known.map_or("UNKNOWN", |(_, name)| name).to_owned();
        let shape = if free.len() == shape.len() { free } else { shape };
        Ok(TensorSpec { name, datatype, shape: shape.into_iter().map(i64::from).collect() })
    }
}
