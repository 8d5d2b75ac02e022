//! What comes of specifications. Whether verdicts agree with those of the other systems is tested where rollouts are.

mod argo;
mod conditions;
mod every_field;
mod flagger;
mod mutated;

use tagship_config::{Config, EnvironmentConfig};
use tagship_domain::import::Import;

use crate::{ImportError, Naming, SourceFile, System, import};

fn read(system: System, text: &str) -> Result<Import, ImportError> {
    let naming = Naming { model: None, environment: "production".parse().unwrap() };
    import(system, &[SourceFile { name: "spec.yml", text }], &naming)
}

fn environment(imported: &Import) -> EnvironmentConfig {
    let config = Config::parse("tagship.yml", &imported.config).unwrap();
    config.models.into_values().next().unwrap().environments.into_values().next().unwrap()
}

#[track_caller]
fn noted(imported: &Import, at: &str, words: &str) {
    let found = imported.notes.iter().any(|note| note.at.contains(at) && note.text.contains(words));
    assert!(found, "{at}: {words}\n{:#?}", imported.notes);
}
