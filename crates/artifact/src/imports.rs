//! Names in settings in JSON that a loader imports: packages beside the classes of a pipeline, modules of an embedding
//! model, handlers of a server.
//!
//! The loaders: `sentence-transformers` (`modules.json`), PEFT (`adapter_config.json`), diffusers (`model_index.json`), Hydra,
//! Lightning and NeMo (`target`, `class_path`), transformers (kernels of attention), `TorchServe` (`MAR-INF/MANIFEST.json`). What each
//! names passes where it lies in the loader's own package; anything else is code that nobody has looked at.

use crate::{
    findings::Findings,
    json::{Event, Path},
    rules, settings,
};

/// Findings that are kept of one document.
const MAX_FINDINGS: usize = 64;

/// Packages of the parts of a pipeline that diffusers loads by name, and its own pipelines that bring parts along.
const PACKAGES: &[&str] = &[
    "audioldm2",
    "deepfloyd_if",
    "diffusers",
    "kandinsky",
    "latent_diffusion",
    "onnxruntime.training",
    "paint_by_example",
    "stable_audio",
    "stable_cascade",
    "stable_diffusion",
    "stable_diffusion_safe",
    "transformers",
    "unidiffuser",
    "versatile_diffusion",
    "wuerstchen",
];

/// Handlers that `TorchServe` brings along; any other is code in the archive, or of the machine.
const HANDLERS: &[&str] = &["image_classifier", "image_segmenter", "object_detector", "text_classifier"];

/// What the names in a document would make a loader import.
#[derive(Debug)]
pub(crate) struct Imports {
    /// In any document: no other format has these keys in these places.
    named: Findings,
    /// Targets of a graph. They count where the document is not a program of `torch.export`, which judges its own.
    targets: Findings,
    /// Counts where the document is the index of a pipeline.
    parts: Findings,
    is_pipeline: bool,
    /// The next value is the first of a list.
    is_first: bool,
}

impl Imports {
    /// Of a document with this name.
    pub(crate) fn of(path: &str) -> Self {
        Self {
            named: Findings::new(),
            targets: Findings::new(),
            parts: Findings::new(),
            is_pipeline: path.to_ascii_lowercase().ends_with("model_index.json"),
            is_first: false,
        }
    }

    pub(crate) fn event(&mut self, path: &Path, event: &Event, at: u64) {
        let is_first =
            std::mem::replace(&mut self.is_first, *event == Event::ArrayStart && path.depth() == 1);
        let Event::Text(text) = event else { return };
        let full = |findings: &Findings| findings.listed() >= MAX_FINDINGS;
        if is_first && !full(&self.parts) && !PACKAGES.contains(&text.as_str()) {
            let message = "the loader of this pipeline imports this package";
            self.parts.about(&rules::ACTIVE_SIDECAR, Some(at), text, message);
        }
        if matches!(path.key(), "target" | "class_path") && is_path(text) {
            let of_graph = path.key() == "target" && path.key_at(0) == "graph_module";
            let findings = if of_graph { &mut self.targets } else { &mut self.named };
            if !full(findings) {
                settings::judge(path.key(), text, at, findings);
            }
        }
        if let Some(message) = imported(path, text).filter(|_| !full(&self.named)) {
            self.named.about(&rules::ACTIVE_SIDECAR, Some(at), text, message);
        }
    }

    pub(crate) fn report(self, is_program: bool, findings: &mut Findings) {
        findings.append(self.named);
        if !is_program {
            findings.append(self.targets);
        }
        if self.is_pipeline {
            findings.append(self.parts);
        }
    }
}

/// What a text in a place where loaders look for names makes one of them do, where that is not known to be harmless.
fn imported(path: &Path, text: &str) -> Option<&'static str> {
    let own = |package: &str| text.strip_prefix(package).is_some_and(is_path);
    if path.depth() == 2 && path.ends_with(&["*", "type"]) && is_path(text) {
        return (!own("sentence_transformers.")).then_some("a module of an embedding model that is imported");
    }
    if path.ends_with(&["auto_mapping", "parent_library"]) {
        return (!own("transformers.")).then_some("the loader of an adapter imports this module");
    }
    // One for all, or one for each part of the model.
    if path.is_within("attn_implementation") && text.contains('/') {
        return Some("native code that the loader fetches");
    }
    match (path.depth(), path.key_at(0), path.key()) {
        (2, "model", "handler") if !HANDLERS.contains(&text) => {
            Some("a server runs this handler; what it does was not judged")
        }
        (2, "model", "requirementsFile") => Some("a server installs the packages that this file names"),
        _ => None,
    }
}

/// Whether a text is a path of attributes, and nothing else.
fn is_path(text: &str) -> bool {
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    text.contains('.') && text.split('.').all(is_name)
}

#[cfg(test)]
mod tests {
    use crate::build::{judge, rules};

    fn fired(name: &'static str, text: &str) -> Vec<String> {
        let report = judge(name, text.as_bytes());
        let beside = |rule: &&str| *rule != "INT108";
        rules(&report).into_iter().filter(beside).map(str::to_owned).collect()
    }

    #[test]
    fn what_lies_in_the_package_of_the_loader_passes() {
        for (name, text) in [
            (
                "modules.json",
                r#"[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"}]"#,
            ),
            (
                "model_index.json",
                r#"{"_class_name":"A","unet":["diffusers","B"],"safety_checker":[null,null]}"#,
            ),
            (
                "adapter_config.json",
                r#"{"auto_mapping":{"parent_library":"transformers.models.bert.modeling_bert"}}"#,
            ),
            ("adapter_config.json", r#"{"auto_mapping":null}"#),
            (
                "config.json",
                r#"{"_class_name":"UNet2DModel","down_block_types":["DownBlock2D","UpBlock2D"]}"#,
            ),
            (
                "config.json",
                r#"{"attn_implementation":"flash_attention_2","labels":["os","b"],"target":0.5}"#,
            ),
            ("MANIFEST.json", r#"{"model":{"handler":"image_classifier","serializedFile":"m.pt"}}"#),
            ("model.json", r#"{"graph_module":{"nodes":[{"target":"torch.ops.aten.add.Tensor"}]}}"#),
            ("vocab.json", r#"{"target":"the end.","class_path":"a/b.c"}"#),
        ] {
            assert_eq!(fired(name, text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_graph_beside_a_target_hides_nothing() {
        let found = fired("config.json", r#"{"graph_module":{},"model":{"target":"os.system"}}"#);
        assert!(found.contains(&"SEC102".to_owned()), "{found:?}");
    }

    #[test]
    fn what_lies_elsewhere_is_no_pass() {
        for (name, text, rule) in [
            ("modules.json", r#"[{"idx":0,"path":"x","type":"joblib.numpy_pickle"}]"#, "INT109"),
            ("model_index.json", r#"{"unet":["antigravity","fly"]}"#, "INT109"),
            ("modular_model_index.json", r#"{"unet":["os","system",{}]}"#, "INT109"),
            (
                "adapter_config.json",
                r#"{"auto_mapping":{"base_model_class":"a","parent_library":"os"}}"#,
                "INT109",
            ),
            ("config.json", r#"{"target":"my.Thing"}"#, "INT109"),
            ("config.json", r#"{"a":{"class_path":"os.system","init_args":["id"]}}"#, "SEC102"),
            ("config.json", r#"{"attn_implementation":"someone/kernel"}"#, "INT109"),
            ("config.json", r#"{"attn_implementation":{"vision":"sdpa","text":"someone/kernel"}}"#, "INT109"),
            ("config.json", r#"{"graph_module":{},"a":{"class_path":"os.system"}}"#, "SEC102"),
            ("config.json", r#"{"a":{"class_path":"os.system"},"graph_module":{"b":{}}}"#, "SEC102"),
            ("config.json", r#"{"graph_module":{"class_path":"os.system"}}"#, "SEC102"),
            ("config.json", r#"{"graph_module":[{"target":"os.system"}]}"#, "SEC102"),
            ("MANIFEST.json", r#"{"model":{"handler":"os:system"}}"#, "INT109"),
            ("MANIFEST.json", r#"{"model":{"requirementsFile":"requirements.txt"}}"#, "INT109"),
        ] {
            assert_eq!(fired(name, text), [rule], "{text}");
        }
    }
}
