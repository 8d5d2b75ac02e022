//! Inputs of the size that budgets are stated for, made anew for each bench.

#![allow(clippy::cast_possible_truncation, reason = "sizes below 4 GiB and names of a few letters")]

use std::{
    fs::File,
    io::{BufWriter, Result, Write},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Context as _;

use crate::process;

/// Opcodes of [`pickle`], about.
pub(super) const OPCODES: usize = 180_000_000;

/// A linear congruential generator (Knuth's MMIX constants): the same bytes on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 56) as u8
    }

    /// Numbers of 32 bits, little-endian, below 2: an exponent of all ones would be none.
    fn floats(length: usize) -> Vec<u8> {
        let mut random = Self(1);
        (0..length).map(|at| random.next() & if at % 4 == 3 { 0x3f } else { 0xff }).collect()
    }
}

/// Safetensors with tensors of 4 MiB each.
pub(super) fn safetensors(path: &Path, tensors: usize) -> Result<()> {
    const BYTES: usize = 4 << 20;
    let entries: Vec<String> = (0..tensors)
        .map(|at| {
            let (begin, end) = (at * BYTES, (at + 1) * BYTES);
            format!(
                r#""layer.{at}.weight":{{"dtype":"F32","shape":[1024,1024],"data_offsets":[{begin},{end}]}}"#
            )
        })
        .collect();
    let mut header = format!("{{{}}}", entries.join(","));
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    let block = Random::floats(BYTES);
    for _ in 0..tensors {
        file.write_all(&block)?;
    }
    file.flush()
}

/// A state dict of tensors of 4 MiB each as `torch.save` lays it out: a zip archive of stored members, the pickle first,
/// each storage at a multiple of 64 bytes.
pub(super) fn torch(path: &Path, tensors: usize) -> Result<()> {
    const BYTES: usize = 4 << 20;
    let block = Random::floats(BYTES);
    let crc = crc32(&block);
    let mut archive = Archive::new(path)?;
    let pickle = state_dict(tensors);
    archive.member("model/data.pkl", &pickle, crc32(&pickle))?;
    archive.member("model/byteorder", b"little", crc32(b"little"))?;
    for at in 0..tensors {
        archive.member(&format!("model/data/{at}"), &block, crc)?;
    }
    archive.member("model/version", b"3\n", crc32(b"3\n"))?;
    archive.finish()
}

/// The pickle (protocol 2) of a dict of float tensors of 1024 x 1024.
fn state_dict(tensors: usize) -> Vec<u8> {
    let text = |text: &str| [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let mut pickle = b"\x80\x02}(".to_vec();
    for at in 0..tensors {
        pickle.extend(text(&format!("layer.{at}.weight")));
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        pickle.extend(text("storage"));
        pickle.extend(b"ctorch\nFloatStorage\n");
        pickle.extend([text(&at.to_string()), text("cpu")].concat());
        // 1048576 numbers, no offset, the shape, the strides, no gradient, no hooks.
        pickle
            .extend(b"J\0\0\x10\0tQK\0M\0\x04M\0\x04\x86M\0\x04K\x01\x86\x89ccollections\nOrderedDict\n)RtR");
    }
    pickle.extend(b"u.");
    pickle
}

/// A zip archive of stored members below 4 GiB, written one after the other.
struct Archive {
    file: BufWriter<File>,
    written: usize,
    directory: Vec<u8>,
    members: u16,
}

impl Archive {
    /// What a storage begins at a multiple of.
    const ALIGNMENT: usize = 64;
    /// A local header without its name, and the head of an extra field.
    const HEADER: usize = 30;
    const EXTRA: usize = 4;

    fn new(path: &Path) -> Result<Self> {
        Ok(Self { file: BufWriter::new(File::create(path)?), written: 0, directory: Vec::new(), members: 0 })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.written += bytes.len();
        self.file.write_all(bytes)
    }

    fn member(&mut self, name: &str, bytes: &[u8], crc: u32) -> Result<()> {
        let offset = self.written as u32;
        let size = (bytes.len() as u32).to_le_bytes();
        // Flags, method, time and date (the first of 1980), then what the bytes are.
        let common = [&[0, 0, 0, 0, 0, 0, 0x21, 0], &crc.to_le_bytes()[..], &size, &size].concat();
        let length = (name.len() as u16).to_le_bytes();
        let start = self.written + Self::HEADER + name.len() + Self::EXTRA;
        let padding = vec![b'Z'; start.next_multiple_of(Self::ALIGNMENT) - start];
        let extra = ((padding.len() + Self::EXTRA) as u16).to_le_bytes();
        self.write(&[b"PK\x03\x04\0\0", &common[..], &length, &extra, name.as_bytes()].concat())?;
        self.write(&[b"FB", &(padding.len() as u16).to_le_bytes()[..], &padding].concat())?;
        self.write(bytes)?;
        self.directory.extend([b"PK\x01\x02\0\0\0\0", &common[..], &length, &[0; 12]].concat());
        self.directory.extend([&offset.to_le_bytes()[..], name.as_bytes()].concat());
        self.members += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        let (start, size) =
            ((self.written as u32).to_le_bytes(), (self.directory.len() as u32).to_le_bytes());
        let members = self.members.to_le_bytes();
        let directory = std::mem::take(&mut self.directory);
        self.write(&directory)?;
        self.write(&[b"PK\x05\x06\0\0\0\0", &members[..], &members, &size, &start, &[0, 0]].concat())?;
        self.file.flush()
    }
}

/// CRC-32 as zip archives have it (reflected, polynomial 0xedb88320), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// An ONNX model that adds up tensors of 4 MiB each. Field numbers are those of `onnx.proto`.
pub(super) fn onnx(path: &Path, tensors: usize) -> Result<()> {
    const BYTES: usize = 4 << 20;
    let name = |at: usize| if at == 0 { "x".to_owned() } else { format!("sum{at}") };
    let info = |name: &str| {
        let shape: Vec<u8> = [1024, 1024].iter().flat_map(|size| field(1, &number(1, *size))).collect();
        let tensor = [number(1, 1), field(2, &shape)].concat();
        [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
    };
    let mut graph = field(2, b"sum");
    for at in 0..tensors {
        let (input, output) = (name(at), name(at + 1));
        let texts = [(1, input), (1, format!("w{at}")), (2, output), (4, "Add".to_owned())];
        let node: Vec<u8> = texts.iter().flat_map(|(tag, text)| field(*tag, text.as_bytes())).collect();
        graph.extend(field(1, &node));
    }
    graph.extend([field(11, &info("x")), field(12, &info(&name(tensors)))].concat());
    let heads: Vec<Vec<u8>> = (0..tensors)
        .map(|at| {
            let dims = [number(1, 1024), number(1, 1024), number(2, 1)].concat();
            [dims, field(8, format!("w{at}").as_bytes()), head(9, BYTES)].concat()
        })
        .collect();
    let weights: usize =
        heads.iter().map(|start| start.len() + BYTES).map(|length| head(5, length).len() + length).sum();
    let opset = field(8, &[field(1, b""), number(2, 17)].concat());
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(&[number(1, 8), opset, head(7, graph.len() + weights), graph].concat())?;
    let block = Random::floats(BYTES);
    for start in heads {
        file.write_all(&head(5, start.len() + BYTES))?;
        file.write_all(&start)?;
        file.write_all(&block)?;
    }
    file.flush()
}

/// A pickle (protocol 2) of one long list, as a tree ensemble or a vocabulary gives: small numbers of several widths
/// and repeated objects, in batches of 1,000. 2.4 bytes per opcode, so 430 MB for [`OPCODES`].
pub(super) fn pickle(path: &Path) -> Result<()> {
    const BATCHES: usize = 64;
    let mut random = Random(7);
    let mut block = Vec::new();
    for _ in 0..BATCHES {
        block.push(b'(');
        for _ in 0..1_000 {
            let (low, high) = (random.next(), random.next() | 1);
            match random.next() {
                0..=140 => block.extend([b'K', low]),
                141..=204 => block.extend([b'M', low, high]),
                205..=242 => block.extend([b'h', low & 1]),
                _ => block.extend([b'J', low, high, high, 0]),
            }
        }
        block.push(b'e');
    }
    let mut file = BufWriter::new(File::create(path)?);
    // Two texts for the memo, taken off the stack again; then the list.
    file.write_all(b"\x80\x02X\x01\x00\x00\x00aq\x000X\x01\x00\x00\x00bq\x010]q\x02")?;
    for _ in 0..OPCODES / (BATCHES * 1_002) {
        file.write_all(&block)?;
    }
    file.write_all(b".")?;
    file.flush()
}

/// A repository with this many annotated version tags, fifty of each model, packed as a clone has them.
pub(super) fn repository(directory: &Path, tags: usize) -> anyhow::Result<()> {
    let git = || {
        let mut git = Command::new("git");
        git.arg("-C").arg(directory);
        git
    };
    let mut init = Command::new("git");
    init.args(["init", "--quiet", "--initial-branch", "main"]).arg(directory);
    process::output(init)?;
    let mut import = git();
    let mut import = import
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .context("start git fast-import")?;
    let who = "Ada <ada@example.com>";
    let mut input = BufWriter::new(import.stdin.take().context("its input is a pipe")?);
    write!(input, "commit refs/heads/main\nmark :1\ncommitter {who} 1767268800 +0000\ndata 5\nFirst\n")?;
    let config = "version: 1\nmodels:\n  m0: { artifact: model.onnx }\n";
    write!(input, "M 100644 inline tagship.yml\ndata {}\n{config}\n", config.len())?;
    for at in 0..tags {
        let (model, version) = (at / 50, format!("v1.{}.0", at % 50));
        let message = format!("Registering artifact m{model} version {version}\n");
        let time = 1_767_268_801 + at;
        write!(input, "tag m{model}@{version}\nfrom :1\ntagger {who} {time} +0000\n")?;
        write!(input, "data {}\n{message}\n", message.len())?;
    }
    input.flush()?;
    drop(input);
    anyhow::ensure!(import.wait()?.success(), "git fast-import failed");
    for arguments in [&["pack-refs", "--all"][..], &["checkout", "--quiet", "main"]] {
        let mut command = git();
        command.args(arguments);
        process::output(command)?;
    }
    Ok(())
}

fn head(tag: u64, length: usize) -> Vec<u8> {
    [varint(tag << 3 | 2), varint(length as u64)].concat()
}

fn field(tag: u64, bytes: &[u8]) -> Vec<u8> {
    [head(tag, bytes.len()), bytes.to_vec()].concat()
}

fn number(tag: u64, value: u64) -> Vec<u8> {
    [varint(tag << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push((value & 0x7f) as u8);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is measured must be the path that sound files take.
    #[test]
    fn made_models_are_sound() {
        let directory = tempfile::tempdir().unwrap();
        let [tensors, model, state] =
            ["a.safetensors", "b.onnx", "c.pt"].map(|name| directory.path().join(name));
        safetensors(&tensors, 2).unwrap();
        onnx(&model, 2).unwrap();
        torch(&state, 2).unwrap();
        for path in [tensors, model, state] {
            let policy = tagship_artifact::ValidationPolicy::default();
            let report = tagship_artifact::validate_path(&path, &policy, &mut |_| ());
            assert!(report.findings.is_empty(), "{report:#?}");
            assert_eq!(report.status, tagship_domain::validation::Status::Complete, "{report:#?}");
        }
    }

    #[test]
    fn made_repositories_have_their_tags() {
        let directory = tempfile::tempdir().unwrap();
        repository(directory.path(), 120).unwrap();
        let mut list = Command::new("git");
        list.arg("-C").arg(directory.path()).args(["tag", "--list"]);
        let tags = process::output(list).unwrap();
        assert_eq!(tags.lines().count(), 120);
        assert!(tags.contains("m2@v1.19.0"), "{tags}");
    }
}
