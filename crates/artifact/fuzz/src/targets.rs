//! The table of fuzz targets: one per parser. A further one is an entry here and a file in `fuzz_targets`.

use super::{frames, memory::Memory};

/// What a fuzzer's inputs are made into.
#[derive(Debug)]
pub struct Target {
    /// Name of the target, its seeds and its replays.
    pub name: &'static str,
    /// The artifact around an input.
    pub frame: fn(&[u8]) -> Memory,
    /// No input of it may pass.
    pub hostile: bool,
}

const fn target(name: &'static str, frame: fn(&[u8]) -> Memory) -> Target {
    Target { name, frame, hostile: false }
}

/// Every target.
pub const TARGETS: &[Target] = &[
    target("any", frames::any),
    target("catboost", frames::catboost),
    target("compressed", frames::compressed),
    target("gguf", frames::gguf),
    target("hdf5", frames::hdf5),
    Target { hostile: true, ..target("hostile", frames::hostile) },
    target("jinja", frames::jinja),
    target("json", frames::json),
    target("keras_config", frames::keras_config),
    target("lightgbm", frames::lightgbm),
    target("npy", frames::npy),
    target("onnx", frames::onnx),
    target("pickle", frames::pickle),
    target("safetensors", frames::safetensors),
    target("safetensors_index", frames::index),
    target("skops", frames::skops),
    target("sniff", frames::sniff),
    target("tar", frames::tar_archive),
    target("tf_checkpoint", frames::checkpoint),
    target("tf_graph", frames::frozen_graph),
    target("tf_saved_model", frames::saved_model),
    target("tflite", frames::tflite),
    target("torch_legacy", frames::torch_legacy),
    target("torch_zip", frames::torch_zip),
    target("ubjson", frames::ubjson),
    target("yaml", frames::yaml),
    target("zip", frames::zip_archive),
];
