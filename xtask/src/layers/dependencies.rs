//! Dependencies as the manifests declare them against the layers and the page of libraries.

use std::collections::BTreeSet;

use super::{
    page::{Page, Place},
    table::{DEVELOPMENT, is_known, layer},
};
use crate::workspace::{Dependency, Member};

const PAGE: &str = "docs/dependencies.md";

pub(super) fn problems(members: &[Member], page: &Page) -> Vec<String> {
    let mut problems = Vec::new();
    let mut used = BTreeSet::new();
    for member in members {
        let development = DEVELOPMENT.contains(&member.name.as_str());
        if !is_known(&member.name) {
            problems.push(format!("{} is in no layer; add it to xtask/src/layers/table.rs", member.name));
        }
        for dependency in &member.dependencies {
            if !dependency.is_ours() {
                used.insert(dependency.name.as_str());
            }
            if !development {
                problems.extend(problem(member, dependency, page));
            }
        }
    }
    for name in &used {
        if !page.libraries.contains_key(*name) {
            problems.push(format!("{PAGE} does not name {name}; add a row `| {name} | confined to | why |`"));
        }
    }
    for name in page.libraries.keys().filter(|name| !used.contains(name.as_str())) {
        problems.push(format!("{PAGE} names {name}, which no crate depends on; remove the row"));
    }
    problems
}

fn problem(member: &Member, dependency: &Dependency, page: &Page) -> Option<String> {
    let (from, to) = (&member.name, &dependency.name);
    if !dependency.is_ours() {
        // Tests may use any library of the page: they do not ship.
        let allowed = dependency.is_dev() || page.libraries.get(to)?.iter().any(|place| place.holds(from));
        return (!allowed).then(|| format!("{from} depends on {to}, which {PAGE} does not allow it"));
    }
    if DEVELOPMENT.contains(&to.as_str()) {
        return (!dependency.is_dev())
            .then(|| format!("{from} depends on {to}, which is for development; make it a dev-dependency"));
    }
    let (above, below) = (layer(from)?, layer(to)?);
    (above <= below).then(|| {
        format!(
            "{from} (layer {above}) depends on {to} (layer {below}); dependencies point to lower layers only"
        )
    })
}

impl Place {
    /// Whether it is part of what this crate ships.
    fn holds(&self, name: &str) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Tests => false,
            Self::Crate(there) => there == name,
            Self::Layers(layers) => layer(name).is_some_and(|layer| layers.contains(&layer)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, dependency: &str) -> Vec<String> {
        let member =
            format!(r#"{{"name":"{name}","manifest_path":"Cargo.toml","dependencies":[{dependency}]}}"#);
        let rows = "| crate | confined to | why |\n|---|---|---|\n| git2 | git | tags |\n| serde | everywhere | data |\n| tokio | layers 2 to 4 | time |\n| insta | tests | golden |\n";
        let members = [serde_json::from_str(&member).unwrap()];
        let mut problems = problems(&members, &Page::parse(rows).unwrap());
        problems.retain(|problem| !problem.ends_with("remove the row"));
        problems
    }

    fn ours(name: &str) -> String {
        format!(r#"{{"name":"{name}","kind":null,"path":"crates/x"}}"#)
    }

    fn library(name: &str, kind: &str) -> String {
        format!(r#"{{"name":"{name}","kind":{kind},"path":null}}"#)
    }

    #[test]
    fn dependencies_point_down() {
        assert!(found("tagship-gate", &ours("tagship-config")).is_empty());
        assert!(found("tagship-gate", &ours("tagship-git"))[0].contains("lower layers only"));
        assert!(found("tagship-git", &ours("tagship-adapters"))[0].contains("lower layers only"));
        assert!(found("tagship-git", &ours("tagship-testkit"))[0].contains("make it a dev-dependency"));
        assert!(found("tagship-new", "")[0].contains("in no layer"));
    }

    #[test]
    fn libraries_stay_where_the_page_has_them() {
        assert!(found("tagship-git", &library("git2", "null")).is_empty());
        assert!(found("tagship-gate", &library("git2", "null"))[0].contains("does not allow"));
        assert!(found("tagship-gate", &library("insta", "null"))[0].contains("does not allow"));
        assert!(found("tagship-gate", &library("insta", r#""dev""#)).is_empty());
        assert!(found("tagship-gate", &library("tokio", "null")).is_empty());
        assert!(found("tagship-config", &library("tokio", "null"))[0].contains("does not allow"));
        assert!(found("tagship-gate", &library("left-pad", "null"))[0].contains("does not name left-pad"));
    }

    #[test]
    fn a_row_says_why() {
        assert!(Page::parse("| git2 | git |  |\n").is_err());
        assert!(Page::parse("| git2 | git |\n").is_err());
        assert!(Page::parse("| git2 | gti | tags |\n").is_err());
    }
}
