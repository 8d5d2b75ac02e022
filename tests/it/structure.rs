//! What the repository promises about itself: layers, generated files, tidiness, and that no test is forgotten.

use std::fs;

use xtask::{generated, layers, tidy, workspace::Workspace};

#[track_caller]
fn none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn dependencies_point_down_and_libraries_stay_where_they_belong() {
    none(&layers::problems(&Workspace::this()).unwrap());
}

#[test]
fn generated_files_are_up_to_date() {
    none(&generated::problems(&Workspace::this()).unwrap());
}

#[test]
fn the_sources_are_tidy() {
    none(&tidy::problems(&Workspace::this()).unwrap());
}

#[test]
fn no_test_file_is_forgotten() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it");
    let main = fs::read_to_string(format!("{directory}/main.rs")).unwrap();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            name == "main" || main.contains(&format!("mod {name};")),
            "{name} is not a module of main.rs"
        );
    }
}
