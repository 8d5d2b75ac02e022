//! Hooks: addresses that are asked whether to go on, and such that are told.

use serde_json::json;

use crate::{draft::Draft, fields::Fields, notes::About};

/// Programs that send requests and judge nothing.
const LOAD: [&str; 8] = ["hey", "ghz", "wrk", "k6", "vegeta", "ab", "fortio", "siege"];

/// Where a person decides in the place of a hook.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    /// Before any traffic.
    pub(super) at_start: bool,
    /// Before each share of traffic.
    pub(super) before_each_share: bool,
    /// Before it is promoted.
    pub(super) before_promotion: bool,
}

pub(super) fn read(analysis: &Fields<'_>, draft: &mut Draft) -> Hooks {
    let mut hooks = Hooks::default();
    for hook in analysis.list("webhooks") {
        let name = hook.text("name").unwrap_or_default();
        let kind = hook.text("type").filter(|kind| !kind.is_empty()).unwrap_or_else(|| "rollout".to_owned());
        let command = hook.value("metadata").and_then(|of| of.get("cmd")).and_then(|cmd| cmd.as_str());
        for known in ["url", "timeout", "retries", "disableTLS", "muteAlert"] {
            hook.value(known);
        }
        one(&hook, &name, &kind, command, &mut hooks, draft);
        hook.rest(&About::Key("strategy"), &[]);
    }
    hooks
}

fn one(
    hook: &Fields<'_>,
    name: &str,
    kind: &str,
    command: Option<&str>,
    hooks: &mut Hooks,
    draft: &mut Draft,
) {
    let (notes, about) = (hook.notes(), About::Key("strategy"));
    match kind {
        "confirm-rollout" => {
            hooks.at_start = true;
            let text =
                format!("`{name}` decides whether a rollout begins; a person does here, before any traffic");
            notes.by_hand(about, hook.here(), text);
        }
        "pre-rollout" => {
            hooks.at_start = true;
            let text = format!(
                "`{name}` tests the candidate before any traffic, and a failure counts as a failed check; a person does here. \
                 Golden cases of the release are asked by themselves"
            );
            notes.by_hand(about, hook.here(), text);
        }
        "confirm-traffic-increase" => {
            hooks.before_each_share = true;
            let text = format!("`{name}` decides before each share of traffic; a person does here");
            notes.by_hand(about, hook.here(), text);
        }
        "confirm-promotion" => {
            hooks.before_promotion = true;
            notes.by_hand(
                about,
                hook.here(),
                format!("`{name}` decides about the promotion; a person does here"),
            );
        }
        "rollout" if command.is_some_and(sends_load) => {
            let text = format!(
                "`{name}` sends requests to the candidate, and counts as a failed check where it cannot; here real traffic, or \
                 what you send yourself, is measured"
            );
            notes.left_out(about, hook.here(), text);
        }
        "rollout" => {
            hooks.before_promotion = true;
            let text = format!(
                "`{name}` is asked at each check, and its no is a failed one; a person decides before the promotion here. Where \
                 it only sends requests, take the person out"
            );
            notes.by_hand(about, hook.here(), text);
        }
        "post-rollout" => {
            let text = format!(
                "`{name}` is called when all is over; `notify` tells others here, `on-success` begins the next"
            );
            notes.left_out(about, hook.here(), text);
        }
        "rollback" => {
            let text = format!(
                "`{name}` can order the way back; here `tagship rollout --abort` does, or `/tagship abort`"
            );
            notes.left_out(about, hook.here(), text);
        }
        "event" => {
            let variable = variable(name);
            let text = format!(
                "what `{name}` is told differs in form and number; its address is read from {variable}"
            );
            notes.by_hand(About::Key("notify"), hook.here(), text);
            let on = json!(["start", "pause", "promotion", "rollback"]);
            let settings = [("url-env".to_owned(), variable.into()), ("on".to_owned(), on)];
            draft.notify.push(("webhook", settings.into_iter().collect()));
        }
        other => {
            hooks.before_promotion = true;
            let text =
                format!("hooks of the type `{other}` are not known; a person decides before the promotion");
            notes.by_hand(about, hook.here(), text);
        }
    }
}

/// Whether a command is a generator of load and nothing else.
fn sends_load(command: &str) -> bool {
    let is_alone = !command.contains(['|', ';', '&', '`', '\n', '<', '>']) && !command.contains("$(");
    let program = command.split_whitespace().next().unwrap_or_default();
    is_alone && LOAD.contains(&program.rsplit('/').next().unwrap_or_default())
}

/// The variable that holds an address.
pub(super) fn variable(name: &str) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = name.chars().take(40).map(upper).collect();
    format!(
        "{}_URL",
        if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("HOOK_{name}") }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lone_generator_of_load_is_one() {
        assert!(sends_load("hey -z 1m -q 10 -c 2 http://web-canary.test:9898/"));
        assert!(sends_load("/usr/bin/wrk -t2 http://a"));
        for other in ["curl -f http://a", "hey http://a | grep 200", "hey http://a && ./test", "", "heya x"] {
            assert!(!sends_load(other), "{other}");
        }
    }
}
