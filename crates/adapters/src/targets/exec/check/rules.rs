//! The rules of the protocol: their names, what each asks of a program, and what to change where it is broken.
//!
//! `docs/guides/targets.md` lists the same names, which a test checks.

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    Runs,
    InTime,
    Output,
    Secrets,
    ExitCodes,
    Capabilities,
    Observe,
    UnknownMembers,
    UnknownVerb,
    Unsupported,
    OtherModels,
    NotLoaded,
    Prepare,
    NoTraffic,
    KeepsBytes,
    Conflict,
    SetWeight,
    Promote,
    Rollback,
    RollbackToNothing,
    Cleanup,
    CleanupInUse,
    Route,
    Repeatable,
    EqualFence,
    LowerFence,
    Interrupted,
    AtOnce,
    Counters,
    Endpoints,
    Matches,
}

/// What a rule says.
pub(super) struct Text {
    pub(super) rule: Rule,
    pub(super) name: &'static str,
    pub(super) promise: &'static str,
    pub(super) advice: &'static str,
}

const fn text(rule: Rule, name: &'static str, promise: &'static str, advice: &'static str) -> Text {
    Text { rule, name, promise, advice }
}

/// Every rule, in the order in which they are shown.
pub(super) const RULES: [Text; 31] = [
    text(
        Rule::Runs,
        "runs",
        "the program starts, and ends by itself with an exit code",
        "make it executable, name its interpreter in the first line, and catch what would end it by a signal",
    ),
    text(
        Rule::InTime,
        "in-time",
        "every question is answered within the timeout",
        "answer 11 and let the work go on by itself; `observe` tells when it is done",
    ),
    text(
        Rule::Output,
        "output",
        "standard output holds one JSON object and nothing else, at most 1 MiB; after an order it may be empty",
        "print everything that is for people on standard error, also what programs print that the hook starts",
    ),
    text(
        Rule::Secrets,
        "secrets",
        "the values of variables that the program is given are never printed",
        "take them out of messages and of command lines that are shown",
    ),
    text(
        Rule::ExitCodes,
        "exit-codes",
        "0 and 10 say that it is so now, 10 that it was so before; what is under way is 11",
        "answer 11 until what the program looks at says that the order is carried out, and 10 only where nothing had to \
         change",
    ),
    text(
        Rule::Capabilities,
        "capabilities",
        "`capabilities` answers 0 and an object whose `weights`, `counters` and `endpoints` are true or false",
        "print e.g. {\"weights\": true, \"counters\": false, \"endpoints\": true}",
    ),
    text(
        Rule::Observe,
        "observe",
        "`observe` answers 0 and `arms`: each version once, with digest, ready, and a weight of 0 to 100",
        "print e.g. {\"arms\": [{\"version\": \"v1.0.0\", \"digest\": \"sha256:...\", \"ready\": true, \"weight\": 100}]}; \
         `arms` is empty where nothing is loaded",
    ),
    text(
        Rule::UnknownMembers,
        "unknown-members",
        "members of a question that the program does not know change nothing",
        "read the members that the guide names, and no others",
    ),
    text(
        Rule::UnknownVerb,
        "unknown-verb",
        "a verb that the program does not know is refused with 13",
        "end with 13 where the verb is none that the program knows; never with 0",
    ),
    text(
        Rule::Unsupported,
        "unsupported",
        "what `capabilities` does not say is refused with 13, before anything is changed",
        "refuse a share between 0 and 100 with 13, or answer `weights: true`",
    ),
    text(
        Rule::OtherModels,
        "other-models",
        "versions of one model are not shown as versions of another",
        "keep versions and fences by `model`, or refuse models that the program is not for with 13",
    ),
    text(
        Rule::NotLoaded,
        "not-loaded",
        "traffic for a version that is not loaded is refused with 15",
        "look whether the version is there before anything is changed",
    ),
    text(
        Rule::Prepare,
        "prepare",
        "`prepare` loads the version: `observe` shows it, ready and with the digest of the question",
        "keep the digest beside the version and show both as soon as loading begins; `ready` once it can answer",
    ),
    text(
        Rule::NoTraffic,
        "no-traffic",
        "a version that is being loaded has weight 0, and the shares of others stay",
        "load it beside what serves, and give it traffic only when `set-weight`, `promote` or `rollback` says so",
    ),
    text(
        Rule::KeepsBytes,
        "keeps-bytes",
        "a loaded version stays ready when the file or directory of the question is gone",
        "copy or upload the bytes while `prepare` runs; their path ends with the run",
    ),
    text(
        Rule::Conflict,
        "conflict",
        "other bytes under a version that is loaded are refused with 12",
        "compare the digest of the question with the one that was kept",
    ),
    text(
        Rule::SetWeight,
        "set-weight",
        "the version gets the share, and the version that had the traffic keeps the rest",
        "the shares of all versions together are 100 after it",
    ),
    text(
        Rule::Promote,
        "promote",
        "the version gets all traffic",
        "set its weight to 100 and that of every other version to 0",
    ),
    text(
        Rule::Rollback,
        "rollback",
        "`rollback` gives everything to `to` from whatever state, and needs nothing but what is loaded",
        "set the weights to 100 and 0 without asking what they were before",
    ),
    text(
        Rule::RollbackToNothing,
        "rollback-to-nothing",
        "`rollback` with `to: null` leaves no version with traffic, also where nothing is loaded",
        "set every weight to 0; with nothing loaded there is nothing to do, and that is 0 or 10",
    ),
    text(
        Rule::Cleanup,
        "cleanup",
        "`cleanup` unloads a version without traffic; one that is not loaded is done already",
        "take it out of `observe`; answer 10 where it is not there",
    ),
    text(
        Rule::CleanupInUse,
        "cleanup-in-use",
        "`cleanup` of a version that has traffic is refused with 12, and it goes on serving",
        "look at its weight before anything is stopped",
    ),
    text(
        Rule::Route,
        "route",
        "`route` without `match` is answered with 10 or 0, for it routes nothing specially",
        "treat it like an order that changes nothing: compare the fence, and end with 10",
    ),
    text(
        Rule::Repeatable,
        "repeatable",
        "every order can be given twice: the second time it succeeds and changes nothing",
        "look what is there first; a run may die after the change and before its answer",
    ),
    text(
        Rule::EqualFence,
        "equal-fence",
        "an order with the fence that was seen last is accepted, for it is the same order again",
        "refuse fences that are lower than the highest one, not equal ones",
    ),
    text(
        Rule::LowerFence,
        "lower-fence",
        "an order with a lower fence than was seen for the model is refused with 14 and changes nothing",
        "keep the highest fence of the model where it survives, also after an order that changed nothing, and compare \
         before anything else is done",
    ),
    text(
        Rule::Interrupted,
        "interrupted",
        "an order whose run was killed part way is finished by the same order",
        "replace files as a whole, and take no change for done that an earlier run only noted",
    ),
    text(
        Rule::AtOnce,
        "at-once",
        "two runs of the same order at once both succeed, and leave what one would",
        "hold a lock from reading what is kept until it is written again",
    ),
    text(
        Rule::Counters,
        "counters",
        "with `counters: true` every arm has `counters` of its own",
        "print e.g. \"counters\": {\"requests\": 10, \"errors\": 0, \"correct\": 0, \"incorrect\": 0} in each arm",
    ),
    text(
        Rule::Endpoints,
        "endpoints",
        "with `endpoints: true` every ready arm has `endpoint`, an http or https address of its own",
        "print e.g. \"endpoint\": \"http://10.0.0.5:9101/v2/models/churn\" in each arm",
    ),
    text(
        Rule::Matches,
        "matches",
        "with `matches: true` a `route` with `match` leads requests to a loaded version and leaves weights; that version is \
         not unloaded, and `rollback` ends the match",
        "refuse a version that is not loaded with 15, and `cleanup` of one that requests are led to with 12; forget the \
         match with `promote`, `rollback`, and a `route` without it",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_stands_once_and_in_its_place() {
        for (at, text) in RULES.iter().enumerate() {
            assert_eq!(text.rule as usize, at, "{}", text.name);
        }
        let mut names: Vec<&str> = RULES.iter().map(|text| text.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
    }
}
