//! Where releases are shown, and what is said when tags name something else.

use tagship_domain::chain::{ChainOutcome, PlaceTag};
use tagship_ports::{StateStore as _, artifact_store::Place};

use super::{World, at};
use crate::{check_places, compared, places::record};

const STORE: &str = "oci://r.example/churn";

fn place(layout: &str, now: Option<&str>, derived: Option<&str>) -> Place {
    let address = |digest: &str| format!("{STORE}@{digest}");
    Place { layout: layout.to_owned(), now: now.map(address), derived: derived.map(address) }
}

#[tokio::test]
async fn a_tag_that_names_something_else_is_broken_and_one_that_nobody_recorded_unknown() {
    let world = World::new();
    let draft = world.draft(b"one", 10);
    let release = world.maker().make(&draft).await.unwrap().release;
    let shown = [place("modelpack", Some("p"), Some("p")), place("modelcar", Some("c"), None)];
    let look = async |places: Vec<Place>| {
        let links = compared(&world.journals, &release, STORE, places).await.unwrap();
        let check = check_places(&links);
        (links, check.outcome, check.sentence)
    };
    assert_eq!(look(vec![]).await.1, ChainOutcome::NotApplicable);
    let (_, outcome, said) = look(shown.to_vec()).await;
    assert_eq!(outcome, ChainOutcome::Unknown, "nothing is recorded of the modelcar: {said}");
    let (links, outcome, said) = look(vec![shown[0].clone(), place("modelcar", None, None)]).await;
    assert_eq!((outcome, links[1].tag), (ChainOutcome::Unknown, PlaceTag::Absent), "{said}");
    for _ in 0..2 {
        record(&world.journals, &world.clock, &release, &shown, (&draft.by, at(20))).await.unwrap();
    }
    let entries = world.journals.history("shown/churn", 9).await.unwrap();
    assert_eq!(entries.len(), 1, "what is recorded is not written again");
    assert_eq!(look(shown.to_vec()).await.1, ChainOutcome::Holds);

    let (links, outcome, said) = look(vec![shown[0].clone(), place("modelcar", Some("evil"), None)]).await;
    assert_eq!((outcome, links[1].tag), (ChainOutcome::Broken, PlaceTag::Moved));
    assert_eq!(links[1].reference, format!("{STORE}@c"), "what to deploy is what was released");
    assert!(said.contains(&format!("names {STORE}@evil")), "{said}");
    // What follows from the manifest counts more than what somebody wrote into the journal.
    let (_, outcome, said) = look(vec![place("modelpack", Some("p"), Some("other")), shown[1].clone()]).await;
    assert!(outcome == ChainOutcome::Broken && said.contains("@other"), "{said}");
    let (links, outcome, _) = look(shown[..1].to_vec()).await;
    assert_eq!((outcome, links[1].tag), (ChainOutcome::Broken, PlaceTag::Gone));
    let elsewhere = compared(&world.journals, &release, "oci://r.example/other", vec![]).await.unwrap();
    assert_eq!(elsewhere, [], "another store is none of what was recorded");
}
