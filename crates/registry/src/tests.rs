//! The rules of GTO's registry, and the plans that keep to them.

use std::collections::HashMap;

use tagship_domain::{
    Bump, CommitId, Digest, Environment, ModelName, Timestamp, Version,
    annotation::{Annotation, Ordered},
};

use crate::{
    CommitFacts, FindingKind, Ident, Number, Options, PlannedTag, Registration, RegistrationRequest,
    Registry, RegistryError, Selector, Tag, Trailer, Trailers, to_json,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + seconds).unwrap()
}

fn commit(n: u8) -> CommitId {
    format!("{n:040x}").parse().unwrap()
}

fn digest(n: u8) -> Digest {
    Digest::from_bytes([n; 32])
}

fn tagger(seconds: i64) -> Ident {
    Ident {
        name: "Ann".to_owned(),
        email: "ann@example.org".to_owned(),
        time: at(seconds),
        offset_minutes: 60,
    }
}

fn tag(name: &str, on: u8, seconds: i64) -> Tag {
    Tag {
        name: name.to_owned(),
        target: Some(commit(on)),
        annotated: true,
        tagger: Some(tagger(seconds)),
        message: "words\n".to_owned(),
    }
}

fn with_digest(name: &str, on: u8, seconds: i64, bytes: u8) -> Tag {
    let message = Trailers::new().with(Trailer::Digest, &digest(bytes).to_string()).message("words");
    Tag { message, ..tag(name, on, seconds) }
}

fn registry(tags: impl Into<Vec<Tag>>) -> Registry {
    Registry::from_tags(tags.into(), Options::default())
}

fn m() -> ModelName {
    ModelName::new("m").unwrap()
}

fn prod() -> Environment {
    Environment::new("prod").unwrap()
}

fn v(text: &str) -> Version {
    text.parse().unwrap()
}

/// What holds `prod` of model `m`.
fn holder(tags: impl Into<Vec<Tag>>) -> Option<String> {
    registry(tags).model(&m()).unwrap().current(&prod()).map(|version| version.label().into_owned())
}

fn two_versions() -> Vec<Tag> {
    vec![tag("m@v1.0.0", 1, 0), tag("m@v2.0.0", 2, 10)]
}

fn plus(mut tags: Vec<Tag>, more: impl IntoIterator<Item = Tag>) -> Vec<Tag> {
    tags.extend(more);
    tags
}

#[test]
fn the_newest_assignment_in_force_holds_a_stage() {
    let both = plus(two_versions(), [tag("m#prod#1", 2, 20), tag("m#prod#2", 1, 30)]);
    assert_eq!(holder(both.clone()).as_deref(), Some("v1.0.0"));
    let unassigned = plus(both.clone(), [tag("m#prod!#3", 1, 40)]);
    assert_eq!(holder(unassigned).as_deref(), Some("v2.0.0"), "falls back to the assignment before");
    let withdrawn = plus(both, [tag("m@v1.0.0!", 1, 40)]);
    assert_eq!(holder(withdrawn).as_deref(), Some("v2.0.0"), "a withdrawn version holds nothing");
    assert_eq!(holder(two_versions()), None);
}

#[test]
fn a_stage_tag_may_be_older_than_the_registration_of_its_commit() {
    assert_eq!(holder([tag("m#prod#1", 1, 0), tag("m@v1.0.0", 1, 50)]).as_deref(), Some("v1.0.0"));
    let bare = holder([tag("m#prod#1", 1, 0)]);
    assert_eq!(bare.as_deref(), Some(commit(1).as_str()), "an unregistered commit goes by its id");
    assert_eq!(holder([tag("m#prod#1", 1, 0), tag("m#prod!#2", 1, 5)]), None);
}

#[test]
fn counters_decide_within_one_second() {
    for order in [[4, 5], [5, 4]] {
        let tags = order.map(|n| tag(&format!("m#prod#{n}"), if n == 4 { 1 } else { 2 }, 20));
        assert_eq!(holder(plus(two_versions(), tags)).as_deref(), Some("v2.0.0"));
    }
}

#[test]
fn a_model_is_retired_by_its_newest_event_and_revived_by_a_later_one() {
    let retired = plus(two_versions(), [tag("m@deprecated", 2, 20)]);
    assert_eq!(to_json(&registry(retired.clone()).show()).unwrap(), "{}");
    let name: Selector = "m".parse().unwrap();
    assert!(registry(retired.clone()).show_versions(&name, &HashMap::new()).unwrap().is_empty());
    let revived = registry(plus(retired, [tag("m@v3.0.0", 3, 30)]));
    assert_eq!(revived.show().0[0].1.version.as_deref(), Some("v3.0.0"));
}

#[test]
fn latest_counts_prereleases_unless_told_otherwise() {
    let state = registry([
        tag("m@v1.0.0", 1, 0),
        tag("m@v2.0.0-rc.1", 2, 1),
        tag("m@v3.0.0", 3, 2),
        tag("m@v3.0.0!", 3, 3),
    ]);
    let model = state.model(&m()).unwrap();
    assert_eq!(model.latest(false).unwrap().label(), "v2.0.0-rc.1");
    assert_eq!(model.latest(true).unwrap().label(), "v1.0.0");
}

#[test]
fn broken_tags_are_set_aside_and_named() {
    use FindingKind::{CreatedTag, LightweightTag, NoTagger, NotACommit, NumberTooLarge};
    let blob = Tag { target: None, ..tag("m@v9.0.0", 1, 0) };
    let old = Tag { tagger: None, ..tag("m@v8.0.0", 1, 0) };
    let light = Tag { annotated: false, tagger: None, ..tag("m@v7.0.0", 1, 0) };
    let broken = [
        blob,
        old,
        light,
        tag("m@created", 1, 0),
        tag("m#p#99999999999999999999", 1, 0),
        tag("v1.0.0", 1, 0),
    ];
    let state = registry(plus(two_versions(), broken));
    assert_eq!(state.model(&m()).unwrap().latest(false).unwrap().label(), "v2.0.0");
    let kinds: Vec<FindingKind> = state.doctor(at(100)).iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [NotACommit, NoTagger, LightweightTag, CreatedTag, NumberTooLarge]);
}

#[test]
fn contradicting_tags_set_aside_their_model_only() {
    let shared = [tag("bad@v1.0.0", 1, 0), tag("bad@v2.0.0", 1, 1), tag("bad#prod#1", 1, 2)];
    let moved = [tag("moved@v1.0.0", 1, 0), tag("moved@v1.0.0#2", 2, 1)];
    let state = registry(plus(plus(two_versions(), shared.clone()), moved));
    assert_eq!(state.show().0.len(), 1);
    assert_eq!(state.quarantined().count(), 2);
    let error = state.model(&ModelName::new("bad").unwrap()).unwrap_err();
    assert!(error.to_string().contains("bad#prod#1"), "{error}");
    assert!(state.doctor(at(100)).iter().all(|finding| finding.kind == FindingKind::Contradiction));
    assert!(registry(&shared[..2]).quarantined().next().is_none(), "harmless until a stage tag comes");
}

#[test]
fn wrong_clocks_are_found() {
    let skewed = plus(two_versions(), [tag("m#prod#4", 1, 30), tag("m#prod#5", 2, 20)]);
    let findings = registry(skewed.clone()).doctor(at(100));
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!((findings[0].kind, findings[0].subject.as_str()), (FindingKind::ClockOrder, "m#prod#5"));
    assert_eq!(holder(skewed).as_deref(), Some("v1.0.0"), "time decides, as in GTO");
    let ahead = registry([tag("m@v1.0.0", 1, 200_000)]).doctor(at(0));
    assert_eq!(ahead[0].kind, FindingKind::FutureTime);
}

#[test]
fn the_version_before_is_found_across_repeats() {
    let tags =
        [tag("m#prod#1", 1, 20), tag("m#prod#2", 2, 30), tag("m#prod#3", 1, 40), tag("m#prod#4", 2, 50)];
    let state = registry(plus(two_versions(), tags));
    let model = state.model(&m()).unwrap();
    assert_eq!(model.current(&prod()).unwrap().label(), "v2.0.0");
    assert_eq!(model.previous(&prod()).unwrap().label(), "v1.0.0");
    assert_eq!(model.assignments(&prod()).len(), 4);
    assert!(
        registry(plus(two_versions(), [tag("m#prod#1", 1, 20)]))
            .model(&m())
            .unwrap()
            .previous(&prod())
            .is_none()
    );
}

#[test]
fn unknown_things_are_errors() {
    let state = registry(two_versions());
    let show = |text: &str| state.show_versions(&text.parse().unwrap(), &HashMap::new());
    assert!(matches!(show("x"), Err(RegistryError::UnknownModel { .. })));
    assert!(matches!(show("m@v5.0.0"), Err(RegistryError::UnknownVersion { .. })));
    assert!(matches!(show("m#prod"), Err(RegistryError::NothingInStage { .. })));
    assert!(matches!(show("m#prod#1"), Err(RegistryError::UnknownModel { .. })));
    assert!(matches!(show("m=x"), Err(RegistryError::UnknownModel { .. })));
    assert!(state.history_of("x").is_err());
    for (text, count) in [("m", 2), ("m@latest", 1), ("m@greatest", 1), ("m@v1.0.0", 1)] {
        assert_eq!(show(text).unwrap().len(), count, "{text}");
    }
}

#[test]
fn a_directory_stands_before_a_colon_in_names() {
    let state = registry([tag("a/b=m@v1.0.0", 1, 0), tag("a/b=m#prod#1", 1, 1)]);
    assert_eq!(state.show().0[0].0, "a/b:m");
    for text in ["a/b:m", "a/b:m@latest", "a/b:m@v1.0.0", "a/b:m#prod"] {
        assert_eq!(state.show_versions(&text.parse().unwrap(), &HashMap::new()).unwrap().len(), 1, "{text}");
    }
}

#[test]
fn the_versions_of_a_model_have_the_shape_of_gto() {
    let state = registry([tag("m@v1.0.0", 1, 0), tag("m#prod#1", 1, 60)]);
    let facts = CommitFacts {
        author: "Bob".to_owned(),
        author_email: "bob@example.org".to_owned(),
        committer: tagger(-60),
        message: "add model\n".to_owned(),
        annotation: None,
    };
    let views = state.show_versions(&"m".parse().unwrap(), &HashMap::from([(commit(1), facts)])).unwrap();
    let json: serde_json::Value = serde_json::from_str(&to_json(&views).unwrap()).unwrap();
    let version = &json[0];
    assert_eq!(version["activated_at"], "2023-11-14T23:13:20+01:00");
    assert_eq!(version["enrichments"][0]["message"], "add model\n");
    assert_eq!(version["enrichments"][0]["committer"], "Ann");
    assert_eq!(version["registrations"][0]["priority"], 3);
    assert_eq!(version["stages"][0]["assignments"][0]["event"], "assignment");
    assert_eq!(version["stages"][0]["ref"], "m#prod#1");
    assert_eq!((&version["message"], &version["discovered"]), (&"words".into(), &false.into()));
    let history = serde_json::to_value(state.history_of("m").unwrap()).unwrap();
    assert_eq!((&history[0]["event"], &history[0]["stage"]), (&"assignment".into(), &"prod".into()));
    assert_eq!(history[1]["stage"], serde_json::Value::Null);
}

#[test]
fn gto_s_stage_list_rules_what_is_shown_and_written() {
    let options = Options { stages: Some(vec!["prod".to_owned(), "dev".to_owned()]), ..Options::default() };
    let state = Registry::from_tags(two_versions(), options);
    assert_eq!(state.stages(), ["prod", "dev"]);
    let text = to_json(&state.show()).unwrap();
    assert!(text.contains("\"prod\": null,\n            \"dev\": null"), "{text}");
    let elsewhere = Environment::new("elsewhere").unwrap();
    let refused =
        state.plan_assignment(&m(), &v("v1.0.0"), &elsewhere, &Trailers::new(), at(50)).unwrap_err();
    assert!(refused.to_string().contains("prod, dev"), "{refused}");
}

fn request(on: u8, bytes: u8, bump: Bump) -> RegistrationRequest {
    RegistrationRequest {
        model: m(),
        commit: commit(on),
        digest: digest(bytes),
        number: Number::Next(bump),
        trailers: Trailers::new(),
    }
}

fn new_tag(planned: Registration) -> PlannedTag {
    match planned {
        Registration::New { tag, .. } => tag,
        Registration::Existing { version, .. } => panic!("{version} exists already"),
    }
}

#[test]
fn versions_follow_one_another() {
    let empty = registry([]);
    let first = new_tag(empty.plan_registration(&request(1, 1, Bump::Major), at(0)).unwrap());
    assert_eq!((first.name.as_str(), first.time), ("m@v0.1.0", at(0)));
    let expected = format!("Registering artifact m version v0.1.0\n\nTagship-Digest: {}\n", digest(1));
    assert_eq!(first.message, expected);
    let withdrawn = registry(plus(two_versions(), [tag("m@v3.0.0", 3, 20), tag("m@v3.0.0!", 3, 30)]));
    let next = new_tag(withdrawn.plan_registration(&request(4, 4, Bump::Minor), at(99)).unwrap());
    assert_eq!(next.name, "m@v3.1.0", "a withdrawn number is not given away again");
    let candidate = registry([tag("m@v4.0.0-rc.1", 1, 0)]);
    let finished = new_tag(candidate.plan_registration(&request(2, 2, Bump::Patch), at(99)).unwrap());
    assert_eq!(finished.name, "m@v4.0.0");
}

#[test]
fn the_same_bytes_are_the_same_version() {
    let tags = vec![with_digest("m@v1.0.0", 1, 0, 7), tag("m@v2.0.0", 2, 1)];
    let state = registry(tags.clone());
    let existing = Registration::Existing { version: v("v1.0.0"), commit: commit(1) };
    assert_eq!(state.plan_registration(&request(5, 7, Bump::Minor), at(9)).unwrap(), existing);
    let by_gto = new_tag(state.plan_registration(&request(2, 8, Bump::Minor), at(9)).unwrap());
    assert_eq!((by_gto.name.as_str(), by_gto.target), ("m@v2.0.0#1", commit(2)), "its digest is added");
    let taken = state.plan_registration(&request(1, 9, Bump::Minor), at(9)).unwrap_err();
    assert!(
        matches!(&taken, RegistryError::CommitTaken { version, .. } if *version == v("v1.0.0")),
        "{taken}"
    );

    let withdrawn = registry(plus(tags, [tag("m@v1.0.0!", 1, 5)]));
    let again = new_tag(withdrawn.plan_registration(&request(5, 7, Bump::Minor), at(9)).unwrap());
    assert_eq!((again.name.as_str(), again.target), ("m@v1.0.0#1", commit(1)), "same version, same commit");
}

#[test]
fn planned_times_never_go_back() {
    let state = registry(plus(two_versions(), [tag("m#prod#7", 1, 500)]));
    let tag = state.plan_assignment(&m(), &v("v2.0.0"), &prod(), &Trailers::new(), at(3)).unwrap().unwrap();
    assert_eq!((tag.name.as_str(), tag.time), ("m#prod#8", at(501)));
    assert_eq!(tag.message, "Assigning stage prod to artifact m version v2.0.0\n");
    let held = state.plan_assignment(&m(), &v("v1.0.0"), &prod(), &Trailers::new(), at(600)).unwrap();
    assert_eq!(held, None);
}

#[test]
fn a_withdrawn_version_cannot_take_a_stage() {
    let state = registry(plus(two_versions(), [tag("m@v2.0.0!", 2, 20)]));
    let refused = state.plan_assignment(&m(), &v("v2.0.0"), &prod(), &Trailers::new(), at(50)).unwrap_err();
    assert_eq!(refused.to_string(), "model m has no active version v2.0.0 (active: v1.0.0)");
}

/// The state after planned tags were made.
fn made(tags: Vec<Tag>, planned: &[PlannedTag]) -> Registry {
    let planned = planned.iter().map(|plan| Tag {
        name: plan.name.clone(),
        target: Some(plan.target.clone()),
        annotated: true,
        tagger: Some(Ident { time: plan.time, ..tagger(0) }),
        message: plan.message.clone(),
    });
    registry(plus(tags, planned))
}

#[test]
fn a_rollback_takes_the_bad_version_out_for_good() {
    let tags = plus(
        plus(two_versions(), [tag("m@v3.0.0", 3, 15)]),
        [tag("m#prod#1", 1, 20), tag("m#prod#2", 2, 30), tag("m#prod#3", 3, 40)],
    );
    let state = registry(tags.clone());
    let back = |target: Option<&str>| {
        let target = target.map(v);
        let trailers = Trailers::new().with(Trailer::Reason, "slow");
        state.plan_rollback(&m(), &v("v3.0.0"), target.as_ref(), &prod(), &trailers, at(50)).unwrap()
    };
    let names = |plan: &[PlannedTag]| plan.iter().map(|tag| tag.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&back(Some("v2.0.0"))), ["m#prod!#4"], "the fallback already gives it");
    assert_eq!(names(&back(Some("v1.0.0"))), ["m#prod!#4", "m#prod#5"]);
    assert_eq!(names(&back(None)), ["m#prod!#4", "m#prod!#5", "m#prod!#6"]);
    for target in [Some("v1.0.0"), Some("v2.0.0"), None] {
        let plan = back(target);
        let after = made(tags.clone(), &plan);
        let model = after.model(&m()).unwrap();
        assert_eq!(model.current(&prod()).map(|version| version.label().into_owned()).as_deref(), target);
        assert!(!model.version(&v("v3.0.0")).unwrap().is_in(&prod()));
        assert!(after.doctor(at(60)).is_empty());
        assert!(plan.windows(2).all(|pair| pair[0].time < pair[1].time));
        let first = "Unassigning stage 'prod' to artifact 'm' version 'v3.0.0'\n\nTagship-Reason: slow\n";
        assert_eq!(plan[0].message, first);
    }
}

#[test]
fn a_tag_that_git_cannot_hold_is_refused_by_name() {
    let state = registry(plus(two_versions(), [tag("m#prod", 1, 20)]));
    let nested = Environment::new("prod/eu").unwrap();
    let clash = state.plan_assignment(&m(), &v("v2.0.0"), &nested, &Trailers::new(), at(50)).unwrap_err();
    assert!(matches!(&clash, RegistryError::RefClash { existing, .. } if existing == "m#prod"), "{clash}");
    let below = registry(plus(two_versions(), [tag("m#prod#1/x", 1, 20)]));
    let clash = below.plan_assignment(&m(), &v("v2.0.0"), &prod(), &Trailers::new(), at(50)).unwrap_err();
    assert!(
        matches!(&clash, RegistryError::RefClash { existing, .. } if existing == "m#prod#1/x"),
        "{clash}"
    );
    let last = registry(plus(two_versions(), [tag("m#prod#18446744073709551615", 1, 20)]));
    let full = last.plan_assignment(&m(), &v("v2.0.0"), &prod(), &Trailers::new(), at(50)).unwrap_err();
    assert!(matches!(full, RegistryError::Exhausted { what: "counter", .. }));
}

#[test]
fn a_person_registers_withdraws_and_registers_again() {
    let state = registry(two_versions());
    let plan = |state: &Registry, on: u8, number: Number| {
        state.plan_version(&m(), &commit(on), &number, &Trailers::new(), at(60))
    };
    let third = plan(&state, 3, Number::Next(Bump::Minor)).unwrap();
    assert_eq!((third.name.as_str(), third.target), ("m@v2.1.0", commit(3)));
    assert_eq!(third.message, "Registering artifact m version v2.1.0\n");
    let taken = plan(&state, 2, Number::Next(Bump::Patch)).unwrap_err();
    assert_eq!(taken.to_string(), "commit 0000000 already is version v2.0.0 of model m");
    let elsewhere = plan(&state, 3, Number::Exactly(v("v1.0.0"))).unwrap_err();
    assert_eq!(elsewhere.to_string(), "v1.0.0 of model m already is commit 0000000");

    let out = state.plan_withdrawal(&m(), &v("v2.0.0"), &Trailers::new(), at(60)).unwrap();
    assert_eq!((out.name.as_str(), out.target.clone()), ("m@v2.0.0!", commit(2)));
    let withdrawn = made(two_versions(), std::slice::from_ref(&out));
    assert!(
        withdrawn.plan_withdrawal(&m(), &v("v2.0.0"), &Trailers::new(), at(61)).is_err(),
        "it is out already"
    );
    let again = plan(&withdrawn, 2, Number::Next(Bump::Major)).unwrap();
    assert_eq!(again.name, "m@v2.0.0#1", "the same commit is the same version; the simple name is taken");
    assert!(plan(&withdrawn, 2, Number::Exactly(v("v3.0.0"))).is_err(), "a commit is one version");
    let back = made(two_versions(), &[out, again]);
    assert!(back.model(&m()).unwrap().version(&v("v2.0.0")).unwrap().is_active());
    let new = ModelName::new("new").unwrap();
    let first = state.plan_version(&new, &commit(1), &Number::Next(Bump::Major), &Trailers::new(), at(60));
    assert_eq!(first.unwrap().name, "new@v0.1.0");
}

#[test]
fn a_retired_model_comes_back_with_its_next_version() {
    let state = registry(two_versions());
    let tag = state.plan_retirement(&m(), &Trailers::new(), at(60)).unwrap().unwrap();
    let facts = (tag.name.as_str(), tag.target.clone(), tag.message.as_str());
    assert_eq!(facts, ("m@deprecated", commit(2), "Deprecating artifact 'm'\n"));
    let retired = made(two_versions(), std::slice::from_ref(&tag));
    assert!(!retired.model(&m()).unwrap().is_active());
    assert_eq!(retired.plan_retirement(&m(), &Trailers::new(), at(61)), Ok(None));
    let third = retired.plan_version(&m(), &commit(3), &Number::Next(Bump::Patch), &Trailers::new(), at(61));
    let alive = made(two_versions(), &[tag.clone(), third.unwrap()]);
    assert!(alive.model(&m()).unwrap().is_active());
    let twice = alive.plan_retirement(&m(), &Trailers::new(), at(62)).unwrap().unwrap();
    assert_eq!(twice.name, "m@deprecated#1");
}

#[test]
fn a_tag_says_what_it_is_or_that_it_is_nothing() {
    let state = registry(plus(two_versions(), [tag("m#prod#1", 2, 20), tag("m@deprecated", 2, 30)]));
    let checked = state.check("refs/tags/m#prod#1").unwrap();
    let said = (checked.event, checked.version.as_deref(), checked.stage.as_deref());
    assert_eq!(said, ("assignment", Some("v2.0.0"), Some("prod")));
    let json = to_json(&state.check("m@deprecated").unwrap()).unwrap();
    assert!(!json.contains("version\":") && json.contains("\"event\": \"deprecation\""), "{json}");
    for nothing in ["m#prod#2", "v1.0.0", "other@v1.0.0", "HEAD", ""] {
        assert!(matches!(state.check(nothing), Err(RegistryError::NoEvent { .. })), "{nothing}");
    }
}

fn exactly(on: u8, bytes: u8, version: &str) -> RegistrationRequest {
    RegistrationRequest { number: Number::Exactly(v(version)), ..request(on, bytes, Bump::Patch) }
}

#[test]
fn bytes_get_a_second_number_only_where_a_prerelease_leads_to_it() {
    let state = registry([with_digest("m@v2.0.0-rc.1", 1, 0, 7), with_digest("m@v1.0.0", 2, 5, 8)]);
    let plan = |request: &RegistrationRequest| state.plan_registration(request, at(50));
    assert_eq!(new_tag(plan(&exactly(3, 7, "v2.0.0")).unwrap()).name, "m@v2.0.0");
    assert_eq!(new_tag(plan(&exactly(3, 7, "v2.0.0-rc.2")).unwrap()).name, "m@v2.0.0-rc.2");
    let here = plan(&exactly(1, 7, "v2.0.0")).unwrap_err();
    assert!(matches!(here, RegistryError::CommitTaken { .. }), "two versions never share a commit: {here}");
    let same = plan(&exactly(3, 7, "v2.0.0-rc.1")).unwrap();
    assert!(matches!(same, Registration::Existing { .. }), "{same:?}");
    for (bytes, version, why) in [
        (7, "v2.1.0", "already are version v2.0.0-rc.1"),
        (8, "v1.0.1", "already are version v1.0.0"),
        (9, "v1.0.0", "already is commit"),
    ] {
        let refused = plan(&exactly(3, bytes, version)).unwrap_err().to_string();
        assert!(refused.contains(why), "{version}: {refused}");
    }
    let promoted = registry([with_digest("m@v2.0.0-rc.1", 1, 0, 7), with_digest("m@v2.0.0", 2, 5, 7)]);
    let again = promoted.plan_registration(&request(3, 7, Bump::Major), at(50)).unwrap();
    assert!(matches!(again, Registration::Existing { version, .. } if version == v("v2.0.0")));
}

#[test]
fn models_that_only_a_commit_describes_are_listed_as_unregistered() {
    let annotation = |kind: &str| Annotation {
        kind: Some(kind.to_owned()),
        path: None,
        is_virtual: true,
        labels: vec![],
        description: String::new(),
        custom: Ordered::Null,
    };
    let options = Options { types: Some(vec!["model".to_owned()]), ..Options::default() };
    let mut state = Registry::from_tags(vec![tag("m@v1.0.0", 1, 0)], options);
    let entries = [
        ("m".to_owned(), Ok(annotation("model"))),
        ("lead".to_owned(), Ok(annotation("data"))),
        ("bad.name".to_owned(), Err("its name is none of GTO's".to_owned())),
    ];
    state.annotate(&commit(2), &entries);
    let shown = to_json(&state.show()).unwrap();
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        shown["lead"],
        serde_json::json!({ "version": null, "stage": {}, "registered": false, "active": true })
    );
    assert_eq!(shown["m"]["version"], "v1.0.0");
    assert_eq!(shown.as_object().unwrap().len(), 2);
    let facts = CommitFacts {
        author: "Ann".to_owned(),
        author_email: "ann@example.org".to_owned(),
        committer: tagger(5),
        message: "words\n".to_owned(),
        annotation: Some(annotation("data")),
    };
    let selector: Selector = "lead".parse().unwrap();
    let views = state.show_versions(&selector, &HashMap::from([(commit(2), facts)])).unwrap();
    let views: serde_json::Value = serde_json::from_str(&to_json(&views).unwrap()).unwrap();
    assert_eq!(views[0]["version"], commit(2).as_str());
    assert_eq!(
        (&views[0]["discovered"], &views[0]["activated_at"]),
        (&true.into(), &tagger(5).iso_time().into())
    );
    assert_eq!(views[0]["enrichments"][0]["enrichments"][0]["artifact"]["type"], "data");
    let kinds: Vec<FindingKind> = state.doctor(at(50)).iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [FindingKind::TypeNotAllowed, FindingKind::BadAnnotation]);
}

/// Makes every repair, one after the other, and answers the tags.
fn repaired(mut tags: Vec<Tag>) -> (Vec<String>, Registry) {
    let mut made = Vec::new();
    loop {
        let state = registry(tags.clone());
        let Some(repair) = state.plan_repairs(&Trailers::new(), at(500)).unwrap().into_iter().next() else {
            return (made, state);
        };
        made.push(repair.tag.name.clone());
        let ident = Ident { time: repair.tag.time, ..tagger(0) };
        tags.push(Tag {
            name: repair.tag.name,
            target: Some(repair.tag.target),
            annotated: true,
            tagger: Some(ident),
            message: repair.tag.message,
        });
    }
}

#[test]
fn what_one_more_tag_puts_right_is_put_right_by_it() {
    let withdrawn = plus(two_versions(), [tag("m#prod#1", 1, 20), tag("m@v1.0.0!", 1, 30)]);
    let (made, state) = repaired(withdrawn);
    assert_eq!(made, ["m#prod!#2"]);
    assert_eq!(state.doctor(at(600)), []);
    let revived =
        plus(two_versions(), [tag("m#prod#1", 1, 20), tag("m#prod!#2", 1, 25), tag("m@v1.0.0!", 1, 30)]);
    assert_eq!(repaired(revived).0, [""; 0], "nothing is left to repair");

    let tied = plus(two_versions(), [tag("m#prod#1", 1, 20), tag("m#prod#2", 2, 20)]);
    let before = registry(tied.clone());
    assert_eq!(before.doctor(at(50)).iter().map(|f| f.kind).collect::<Vec<_>>(), [FindingKind::Tie]);
    let (made, state) = repaired(tied);
    assert_eq!(made, ["m#prod#3"]);
    assert_eq!(state.model(&m()).unwrap().current(&prod()).unwrap().version(), Some(&v("v2.0.0")));
    let gone = plus(two_versions(), [tag("m#prod!#1", 1, 20), tag("m#prod#2", 1, 20)]);
    assert_eq!(repaired(gone).0, ["m#prod#3"], "GTO lets an unassignment win");
}
