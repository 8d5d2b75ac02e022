//! Builders of model files for tests, byte by byte, and shortcuts to judge them.

use tagship_domain::{
    facts::ModelFacts,
    validation::{ArtifactReport, Status, Verdict},
};

use crate::{
    ArtifactError, ValidationPolicy, seeds,
    tree::{FileFacts, OpenFile, Tree},
    validate_tree,
};

/// An artifact in memory.
#[derive(Debug, Default)]
pub(crate) struct Files(pub(crate) Vec<(&'static str, Vec<u8>)>);

impl Files {
    fn find(&self, path: &str) -> Result<&Vec<u8>, ArtifactError> {
        let found = self.0.iter().find(|(name, _)| *name == path).map(|(_, bytes)| bytes);
        found.ok_or_else(|| ArtifactError::Missing { path: path.to_owned() })
    }
}

impl Tree for Files {
    fn files(&self) -> Result<Vec<Result<String, ArtifactError>>, ArtifactError> {
        Ok(self.0.iter().map(|(name, _)| Ok((*name).to_owned())).collect())
    }

    fn open(&self, path: &str) -> Result<OpenFile, ArtifactError> {
        let bytes = self.find(path)?.clone();
        Ok(OpenFile { size: bytes.len() as u64, reader: Box::new(std::io::Cursor::new(bytes)) })
    }

    fn facts(&self, path: &str) -> Result<FileFacts, ArtifactError> {
        Ok(FileFacts { size: self.find(path)?.len() as u64, hard_links: 1 })
    }
}

/// Judges files as one artifact.
pub(crate) fn judge_files(files: Vec<(&'static str, Vec<u8>)>) -> ArtifactReport {
    for (name, bytes) in &files {
        seeds::file(name, bytes);
    }
    validate_tree(&Files(files), "artifact", &ValidationPolicy::default(), &mut |_| ())
}

/// Judges one file.
pub(crate) fn judge(name: &'static str, bytes: &[u8]) -> ArtifactReport {
    judge_files(vec![(name, bytes.to_vec())])
}

/// Whether an artifact may go on.
pub(crate) fn passes(report: &ArtifactReport) -> bool {
    report.status == Status::Complete && report.verdict == Verdict::Pass
}

/// The rules that fired, in the order of the report.
pub(crate) fn rules(report: &ArtifactReport) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.rule.as_ref()).collect()
}

/// What files state, beside their numbers and licences.
pub(crate) fn told(facts: &ModelFacts) -> Vec<String> {
    facts.stated.iter().map(|stated| format!("{}: {}", stated.name, stated.value)).collect()
}

/// One protobuf message under construction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message(pub(crate) Vec<u8>);

impl Message {
    pub(crate) fn number(mut self, field: u32, value: u64) -> Self {
        varint(&mut self.0, u64::from(field) << 3);
        varint(&mut self.0, value);
        self
    }

    pub(crate) fn bytes(mut self, field: u32, value: impl AsRef<[u8]>) -> Self {
        varint(&mut self.0, u64::from(field) << 3 | 2);
        varint(&mut self.0, value.as_ref().len() as u64);
        self.0.extend_from_slice(value.as_ref());
        self
    }

    pub(crate) fn message(self, field: u32, value: Self) -> Self {
        self.bytes(field, value.0)
    }
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            return out.push(low & 0x7f);
        }
        out.push(low | 0x80);
    }
}

/// A float input or output with a free first axis.
pub(crate) fn value(name: &str, width: u64) -> Message {
    let shape = Message::default()
        .message(1, Message::default().bytes(2, "batch"))
        .message(1, Message::default().number(1, width));
    let tensor = Message::default().number(1, 1).message(2, shape);
    Message::default().bytes(1, name).message(2, Message::default().message(1, tensor))
}

/// A float tensor with its data inside.
pub(crate) fn floats(name: &str, dims: &[u64], count: usize) -> Message {
    let tensor = dims.iter().fold(Message::default(), |tensor, size| tensor.number(1, *size));
    tensor.number(2, 1).bytes(8, name).bytes(9, vec![0; 4 * count])
}

/// An INT64 tensor with its data inside.
pub(crate) fn integers(name: &str, values: &[i64]) -> Message {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Message::default().number(1, values.len() as u64).number(2, 7).bytes(8, name).bytes(9, bytes)
}

/// A node of the default domain.
pub(crate) fn node(operator: &str, inputs: &[&str], outputs: &[&str]) -> Message {
    let node = inputs.iter().fold(Message::default(), |node, name| node.bytes(1, name));
    outputs.iter().fold(node, |node, name| node.bytes(2, name)).bytes(4, operator)
}

/// `y = x w`, with whatever is added to its graph.
pub(crate) fn graph(add: impl FnOnce(Message) -> Message) -> Message {
    let graph = Message::default()
        .message(1, node("MatMul", &["x", "w"], &["y"]))
        .bytes(2, "g")
        .message(5, floats("w", &[4, 2], 8))
        .message(11, value("x", 4))
        .message(12, value("y", 2));
    add(graph)
}

/// A model around a graph.
pub(crate) fn model(graph: Message, add: impl FnOnce(Message) -> Message) -> Vec<u8> {
    let model = Message::default().number(1, 9).bytes(2, "test").message(7, graph).message(8, opset("", 17));
    add(model).0
}

/// One imported operator set.
pub(crate) fn opset(domain: &str, version: u64) -> Message {
    Message::default().bytes(1, domain).number(2, version)
}

/// A safetensors file.
pub(crate) fn safetensors(header: &str, data: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.resize(file.len() + data, 0);
    file
}

/// A zip archive with stored members, as Python writes one.
pub(crate) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    zip_of(members.iter().map(|(name, bytes)| Stored::new(name, bytes)).collect())
}

/// A member of a zip archive under construction; a test may spoil any field of either description.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) local_name: String,
    pub(crate) central_name: String,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) size: u32,
    pub(crate) mode: u32,
    pub(crate) data: Vec<u8>,
    /// Left out of the directory.
    pub(crate) hidden: bool,
}

impl Stored {
    pub(crate) fn new(name: &str, bytes: &[u8]) -> Self {
        Self {
            local_name: name.to_owned(),
            central_name: name.to_owned(),
            flags: 0,
            method: 0,
            crc: crc32fast::hash(bytes),
            size: u32::try_from(bytes.len()).unwrap(),
            mode: 0o100_644,
            data: bytes.to_vec(),
            hidden: false,
        }
    }

    pub(crate) fn deflated(name: &str, bytes: &[u8]) -> Self {
        use std::io::Read;
        let mut data = Vec::new();
        let level = flate2::Compression::default();
        flate2::read::DeflateEncoder::new(bytes, level).read_to_end(&mut data).unwrap();
        Self { method: 8, data, ..Self::new(name, bytes) }
    }

    fn common(&self) -> Vec<u8> {
        let packed = u32::try_from(self.data.len()).unwrap();
        let mut out = [self.flags, self.method, 0, 0x21].map(u16::to_le_bytes).concat();
        out.extend([self.crc, packed, self.size].map(u32::to_le_bytes).concat());
        out
    }
}

/// A zip archive of members as they stand.
pub(crate) fn zip_of(members: Vec<Stored>) -> Vec<u8> {
    let (mut file, mut directory, mut count) = (Vec::new(), Vec::new(), 0u16);
    for member in members {
        if member.method == 0 {
            seeds::member(&member.local_name, &member.data);
        }
        let offset = u32::try_from(file.len()).unwrap();
        let (local, central) = (member.local_name.as_bytes(), member.central_name.as_bytes());
        let length = |name: &[u8]| u16::try_from(name.len()).unwrap().to_le_bytes();
        file.extend([b"PK\x03\x04\x14\0", &member.common()[..], &length(local), &[0, 0], local].concat());
        file.extend(&member.data);
        if !member.hidden {
            count += 1;
            directory.extend([b"PK\x01\x02\x14\x03\x14\0", &member.common()[..], &length(central)].concat());
            directory.extend([0; 8]);
            directory.extend((member.mode << 16).to_le_bytes());
            directory.extend([&offset.to_le_bytes()[..], central].concat());
        }
    }
    let (start, size) = (u32::try_from(file.len()).unwrap(), u32::try_from(directory.len()).unwrap());
    file.extend(directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    file.extend([start.to_le_bytes(), size.to_le_bytes()].iter().rev().flatten());
    file.extend([0, 0]);
    file
}

/// A tar archive of regular files.
pub(crate) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file: Vec<u8> =
        members.iter().flat_map(|(name, bytes)| tar_member(name, b'0', "", bytes)).collect();
    file.resize(file.len() + 1024, 0);
    file
}

/// One member of a tar archive: header, bytes, padding.
pub(crate) fn tar_member(name: &str, kind: u8, link: &str, bytes: &[u8]) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
    block[148..156].copy_from_slice(b"        ");
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link.as_bytes());
    block[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block.extend_from_slice(bytes);
    block.resize(block.len().div_ceil(512) * 512, 0);
    block
}

/// An array of numpy with this header.
pub(crate) fn npy(header: &str, elements: &[u8]) -> Vec<u8> {
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), elements].concat()
}

/// `text` as a pickle of protocol 2 carries it.
pub(crate) fn unicode(text: &str) -> Vec<u8> {
    [b"X", &u32::try_from(text.len()).unwrap().to_le_bytes()[..], text.as_bytes()].concat()
}

/// `torch._utils._rebuild_tensor_v2` of `length` floats out of a storage with `count`.
pub(crate) fn tensor(key: &str, count: u8, length: u8) -> Vec<u8> {
    let storage =
        [b"(", &unicode("storage")[..], b"ctorch\nFloatStorage\n", &unicode(key), &unicode("cpu")].concat();
    [
        b"ctorch._utils\n_rebuild_tensor_v2\n((",
        &storage[1..],
        &[b'K', count, b't', b'Q', b'K', 0, b'K', length, 0x85, b'K', 1, 0x85],
        b"\x89ccollections\nOrderedDict\n)RtR",
    ]
    .concat()
}

/// A state dict with one tensor.
pub(crate) fn state_dict(tensor: &[u8]) -> Vec<u8> {
    [b"\x80\x02}", &unicode("w")[..], tensor, b"s."].concat()
}
