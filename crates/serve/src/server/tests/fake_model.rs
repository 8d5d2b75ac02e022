//! Models whose file says what they do: `label 7` answers 7, `text a b` answers `a b`, `wait` answers when the test lets
//! it, `fail` and `panic` do so, anything else does not load.

use std::{
    fs,
    path::Path,
    sync::{Arc, Condvar, Mutex},
};

use crate::{
    Inference, Loader,
    engine::{Datatype, EngineError, Signature, Tensor, TensorData, TensorSpec},
};

/// Loads fakes. Clones share one gate.
#[derive(Debug, Clone, Default)]
pub(super) struct FakeLoader {
    pub(super) gate: Arc<Gate>,
}

/// Holds requests to a `wait` model back.
#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

/// Opens its gate when dropped.
pub(super) struct Release(pub(super) Arc<Gate>);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.open();
    }
}

#[derive(Debug)]
struct FakeModel {
    signature: Signature,
    kind: Kind,
    gate: Arc<Gate>,
}

#[derive(Debug)]
enum Kind {
    Label(i64),
    Text(String),
    Wait,
    Fail,
    Panic,
}

impl Gate {
    fn wait(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |(_, open)| !*open).unwrap());
    }

    /// Lets every request through, from now on.
    pub(super) fn open(&self) {
        self.state.lock().unwrap().1 = true;
        self.changed.notify_all();
    }

    /// Blocks until `count` requests wait, or did.
    pub(super) async fn reached(self: &Arc<Self>, count: usize) {
        let gate = Arc::clone(self);
        let wait = move || {
            let state = gate.state.lock().unwrap();
            drop(gate.changed.wait_while(state, |(waiting, _)| *waiting < count).unwrap());
        };
        tokio::task::spawn_blocking(wait).await.unwrap();
    }
}

impl Loader for FakeLoader {
    fn load(&self, file: &Path) -> Result<Arc<dyn Inference>, EngineError> {
        let content = fs::read_to_string(file).unwrap();
        let text = content.strip_prefix("text ").map(|text| Kind::Text(text.to_owned()));
        let kind = match content.split(' ').collect::<Vec<_>>()[..] {
            ["label", label, ..] => Kind::Label(label.parse().unwrap()),
            ["text", ..] => text.unwrap(),
            ["wait", ..] => Kind::Wait,
            ["fail", ..] => Kind::Fail,
            ["panic", ..] => Kind::Panic,
            _ => {
                return Err(EngineError::UnsupportedOperator {
                    operator: "SVMClassifier".to_owned(),
                    domain: "ai.onnx.ml".to_owned(),
                    node: "svc".to_owned(),
                });
            }
        };
        let spec = |name: &str, datatype, dims| TensorSpec {
            name: name.to_owned(),
            datatype,
            dims,
            class_names: vec![],
        };
        let signature = Signature {
            inputs: vec![spec("x", Datatype::Fp32, vec![None, Some(2)])],
            outputs: vec![
                spec("label", Datatype::Int64, vec![None]),
                spec("score", Datatype::Fp32, vec![None]),
            ],
        };
        Ok(Arc::new(FakeModel { signature, kind, gate: Arc::clone(&self.gate) }))
    }
}

impl Inference for FakeModel {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn infer(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, EngineError> {
        let [x] = inputs else {
            return Err(EngineError::MissingInput { input: "x".to_owned(), known: "x".to_owned() });
        };
        let spec = &self.signature.inputs[0];
        if !spec.accepts(x.shape()) {
            let wanted = format!("{:?}", spec.shape());
            return Err(EngineError::WrongShape { input: "x".to_owned(), got: x.shape().to_vec(), wanted });
        }
        let rows = x.rows().unwrap();
        let label = match &self.kind {
            Kind::Label(label) => TensorData::Int64(vec![*label; rows]),
            Kind::Text(text) => TensorData::Bytes(vec![text.clone(); rows]),
            Kind::Wait => {
                self.gate.wait();
                TensorData::Int64(vec![0; rows])
            }
            Kind::Fail => return Err(EngineError::Run { detail: "told to".to_owned() }),
            Kind::Panic => panic!("told to"),
        };
        Ok(vec![
            Tensor::new("label", vec![rows], label).unwrap(),
            Tensor::new("score", vec![rows], TensorData::Fp32(vec![0.5; rows])).unwrap(),
        ])
    }
}
