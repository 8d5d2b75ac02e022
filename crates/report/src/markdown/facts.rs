//! The few facts that a reviewer looks for: which version, why, which bytes, since when.

use tagship_domain::{
    report::Section,
    rollout::{Kind, RolloutState},
    units::ByteSize,
};

use super::{
    block::{Align, Block},
    inline::Inline,
};

/// A table of two columns; empty where nothing is known.
pub(crate) fn table(section: &Section) -> Block {
    let attempt = section.rollout.as_ref().map(attempt);
    let facts = [version(section), why(section), bytes(section), attempt, place(section)];
    let mut facts = facts.into_iter().flatten();
    // The first fact is the header: a table has one, and an empty one would look like a mistake.
    let Some((name, value)) = facts.next() else { return Block::default() };
    let rows: Vec<Vec<Inline>> = facts.map(|(name, value)| vec![Inline::fixed(name).bold(), value]).collect();
    Block::table(&[(Inline::fixed(name), Align::Left), (value, Align::Left)], &rows)
}

type Fact = (&'static str, Inline);

fn version(section: &Section) -> Option<Fact> {
    let code = |version: &dyn std::fmt::Display| Inline::code(&version.to_string(), 60);
    let instead = |old| Inline::fixed(", after ").and(code(old));
    if let Some(state) = &section.rollout {
        let old = state.stable.as_ref().map(|stable| instead(&stable.version));
        return Some(("Version", code(&state.candidate.version).and(old.unwrap_or_default())));
    }
    let old = section.gate.as_ref().and_then(|gate| gate.stable.as_ref()).map(|stable| instead(stable));
    let old = old.unwrap_or_default();
    if let Some(release) = &section.release {
        return Some(("Version", code(&release.version).and(old)));
    }
    let next = section.next.as_ref()?;
    let because = Inline::fixed(" – ").and(Inline::prose(&next.because, 200));
    Some(("Next version", code(&next.version).and(old).and(because)))
}

fn why(section: &Section) -> Option<Fact> {
    let decision = section.decision.as_ref()?;
    let code = decision.reason_code.to_string();
    Some((
        "Trigger",
        Inline::prose(&decision.sentence, 300).and(Inline::fixed(" · ")).and(Inline::code(&code, 60)),
    ))
}

fn bytes(section: &Section) -> Option<Fact> {
    let artifact = section.validation.as_ref().and_then(|report| report.artifacts.first());
    let digest = section.rollout.as_ref().map(|state| &state.candidate.digest);
    let digest = digest.or(section.release.as_ref().map(|release| &release.digest));
    let digest = digest.or(artifact.and_then(|artifact| artifact.sha256.as_ref()));
    let digest = digest.map(|digest| Inline::code(&format!("sha256:{}", digest.short()), 60));
    let described = artifact.map(|artifact| {
        let size = ByteSize::bytes(artifact.size).to_string();
        Inline::join(
            [Inline::code(&artifact.path, 120), Inline::text(&artifact.format, 40), Inline::text(&size, 40)],
            " · ",
        )
    });
    let all = Inline::join(described.into_iter().chain(digest), " · ");
    (!all.is_empty()).then_some(("Bytes", all))
}

/// Where people can try what is deployed.
fn place(section: &Section) -> Option<Fact> {
    let environment = Inline::text(section.environment.as_ref()?.as_str(), 60);
    let address = section.environment_url.as_ref()?;
    Some(("Environment", Inline::join([environment, Inline::link("open", address)], " · ")))
}

fn attempt(state: &RolloutState) -> Fact {
    let name = if state.kind == Kind::Rollback { "Rollback" } else { "Rollout" };
    let mut pieces = vec![Inline::code(&state.id.0, 100)];
    if !state.by.actor.trim().is_empty() {
        pieces.push(Inline::fixed("started by ").and(Inline::text(&state.by.actor, 60)));
    }
    pieces.push(Inline::text(&state.started.readable(), 40));
    if state.phase.is_terminal() {
        pieces.push(Inline::text(&format!("took {}", took(state)), 40));
    }
    (name, Inline::join(pieces, " · "))
}

/// Whole seconds where it took longer than one.
fn took(state: &RolloutState) -> tagship_domain::Duration {
    let exact = state.since.since(state.started);
    let seconds = exact.std().as_secs();
    if seconds == 0 { exact } else { tagship_domain::Duration::from_secs(seconds) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deployed_is_linked_where_its_address_is_a_plain_one() {
        let fact = |address: &str| {
            let environment = "production".parse().ok();
            let section = Section {
                environment_url: Some(address.to_owned()),
                ..Section::of("churn".parse().unwrap(), environment)
            };
            table(&section).into_string()
        };
        let shown = fact("https://churn.example.org/docs?a=1");
        assert!(shown.contains("production · [open](https://churn.example.org/docs?a=1)"), "{shown}");
        for bad in ["javascript:alert(1)", "https://x)[y](https://evil.example", "https://x|<!--\n@all"] {
            let shown = fact(bad);
            assert!(
                !shown.contains("[open]") && !shown.contains("<!--") && !shown.contains("@all"),
                "{shown}"
            );
        }
    }
}
