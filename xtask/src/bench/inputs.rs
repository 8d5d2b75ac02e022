//! Inputs of the size that budgets are stated for, made anew for each bench.

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
        let (tensors, model) = (directory.path().join("a.safetensors"), directory.path().join("b.onnx"));
        safetensors(&tensors, 2).unwrap();
        onnx(&model, 2).unwrap();
        for path in [tensors, model] {
            let policy = tagship_artifact::ValidationPolicy::default();
            let report = tagship_artifact::validate_path(&path, &policy, &mut |_| ());
            assert!(report.findings.is_empty(), "{report:#?}");
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
