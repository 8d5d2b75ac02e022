//! What the unit tests judge is what the fuzz targets begin with: no seed lies in the repository as bytes without a source.
//!
//! Each input of a test also goes through its target here, so that every test holds the invariants of the targets.

use std::{collections::HashMap, fs, path::PathBuf, sync::Mutex};

use crate::{
    format::{self, Format},
    fuzz,
};

/// The folder that seeds are written to, a folder for each target in it; none are written without. `cargo xtask fuzz`
/// sets it.
const FOLDER: &str = "TAGSHIP_FUZZ_SEEDS";
/// Largest seed in bytes. A fuzzer makes little of longer ones.
const LONGEST: usize = 8 << 10;
/// Seeds of one test for one target: the first ones, for some tests go through every cut of a file.
const EACH: usize = 12;

/// How many seeds each test has given each target.
static GIVEN: Mutex<Option<HashMap<String, usize>>> = Mutex::new(None);

/// Hands a file over to the target of its format.
pub(crate) fn file(name: &str, bytes: &[u8]) {
    if bytes.len() > LONGEST {
        return;
    }
    let target = match format::identify(bytes, bytes.len() as u64).format {
        Format::Pickle if bytes.first() == Some(&0x80) => "pickle",
        Format::Pickle => "sniff",
        Format::Zip => "zip",
        Format::Tar => "tar",
        Format::Compressed => "compressed",
        Format::Torch => "torch_legacy",
        Format::Safetensors => "safetensors",
        Format::Json if name.ends_with("index.json") => "safetensors_index",
        Format::Json => "json",
        Format::Onnx => "onnx",
        Format::SavedModel => "tf_saved_model",
        Format::TfGraph => "tf_graph",
        Format::TfCheckpoint => "tf_checkpoint",
        Format::Hdf5 => "hdf5",
        Format::Gguf => "gguf",
        Format::Npy => "npy",
        Format::Tflite => "tflite",
        Format::Catboost => "catboost",
        Format::XgboostUbj => "ubjson",
        Format::LightgbmText => "lightgbm",
        _ => return input("any", &[&[0], bytes].concat()),
    };
    input(target, bytes);
}

/// Hands a member of a zip archive over, where there is a target for such members.
pub(crate) fn member(name: &str, bytes: &[u8]) {
    match name.rsplit('/').next() {
        Some("data.pkl") => input("torch_zip", bytes),
        Some("config.json") => input("keras_config", bytes),
        Some("schema.json") => input("skops", bytes),
        _ => {}
    }
}

/// Hands an input over to a target.
pub(crate) fn input(target: &str, bytes: &[u8]) {
    if bytes.len() > LONGEST {
        return;
    }
    fuzz::run(target, bytes);
    if let Some(folder) = folder() {
        write(&folder.join(target), bytes);
    }
}

fn folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// Writes a seed under the name of the test that gave it.
fn write(folder: &std::path::Path, bytes: &[u8]) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("test").replace("::", "-");
    let mut given = GIVEN.lock().unwrap();
    let count = given.get_or_insert_default().entry(format!("{}/{test}", folder.display())).or_default();
    *count += 1;
    if *count <= EACH {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(format!("{test}-{count:02}")), bytes).unwrap();
    }
}

#[test]
fn what_broke_something_once_does_not_any_more() {
    let replays = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/replays");
    let mut replayed = 0;
    for target in listed(&replays) {
        let name = target.file_name().unwrap().to_str().unwrap();
        for path in listed(&target).into_iter().filter(|path| path.extension().is_none()) {
            let why = fs::read_to_string(path.with_extension("why"));
            let why = why
                .unwrap_or_else(|error| panic!("{}: say why in a file beside it: {error}", path.display()));
            assert_eq!(why.trim().lines().count(), 1, "{}: one line says why", path.display());
            fuzz::run(name, &fs::read(&path).unwrap());
            replayed += 1;
        }
    }
    assert!(replayed > 0);
}

#[test]
fn every_target_is_a_program() {
    let fuzz = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let programs = listed(&fuzz.join("fuzz_targets"));
    assert_eq!(programs.len(), fuzz::TARGETS.len());
    for target in fuzz::TARGETS {
        let program = fs::read_to_string(fuzz.join(format!("fuzz_targets/{}.rs", target.name))).unwrap();
        assert!(program.contains(&format!("run(\"{}\", input)", target.name)), "{}", target.name);
        assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "{}", target.name);
    }
}

/// What a folder holds, by name.
fn listed(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
