//! Whether the journal of an environment and the registry say the same about what it holds.

use tagship_domain::{
    Release,
    chain::{ChainCheck, ChainOutcome, ChainPart},
    rollout::{Phase, RolloutState},
};

/// Compares what a stage tag says with the newest state of the journal. `rollout` is the rollout that the tag names.
pub fn check_stage(state: Option<&RolloutState>, held: &Release, rollout: Option<&str>) -> ChainCheck {
    let check = |outcome, sentence: String| ChainCheck::of(ChainPart::Stage, outcome, sentence);
    let Some(state) = state else {
        return match rollout {
            None => {
                check(ChainOutcome::NotApplicable, "a tag alone put it there, and no rollout did".to_owned())
            }
            Some(rollout) => {
                let sentence = format!("the tag names the rollout {rollout}, and there is no journal of it");
                check(ChainOutcome::Unknown, sentence)
            }
        };
    };
    let RolloutState { id, candidate, stable, phase, assigned, .. } = state;
    let holds: Vec<&Release> = match phase {
        Phase::Succeeded => vec![candidate],
        Phase::Failed | Phase::RolledBack | Phase::Superseded if !assigned => stable.iter().collect(),
        // On the way the tag may be one of two, and either is right.
        _ => std::iter::once(candidate).chain(stable).collect(),
    };
    if holds.contains(&held) {
        return check(
            ChainOutcome::Holds,
            format!("the journal's newest rollout {id} ({phase}) leaves {held} there"),
        );
    }
    let says = match holds.as_slice() {
        [] => "nothing".to_owned(),
        some => some
            .iter()
            .map(|release| format!("{release} (sha256:{})", release.digest.short()))
            .collect::<Vec<_>>()
            .join(" or "),
    };
    let sentence = format!(
        "the tag says {held} (sha256:{}), and the journal's newest rollout {id} ({phase}) leaves {says} there",
        held.digest.short()
    );
    check(ChainOutcome::Broken, sentence)
}

#[cfg(test)]
mod tests {
    use tagship_domain::rollout::Kind;

    use super::*;
    use crate::tests::sample;

    #[test]
    fn what_has_ended_leaves_one_release_there() {
        let mut state = sample::pending(Kind::Deploy);
        let (candidate, stable) = (state.candidate.clone(), state.stable.clone().unwrap());
        for (phase, assigned, held, expected) in [
            (Phase::Succeeded, true, &candidate, ChainOutcome::Holds),
            (Phase::Succeeded, true, &stable, ChainOutcome::Broken),
            (Phase::RolledBack, false, &stable, ChainOutcome::Holds),
            (Phase::RolledBack, false, &candidate, ChainOutcome::Broken),
            (Phase::Failed, true, &candidate, ChainOutcome::Holds),
            (Phase::Progressing, false, &stable, ChainOutcome::Holds),
        ] {
            (state.phase, state.assigned) = (phase, assigned);
            assert_eq!(check_stage(Some(&state), held, None).outcome, expected, "{phase} {held}");
        }
        // The same version with other bytes.
        state.phase = Phase::Succeeded;
        let forged = Release { digest: stable.digest.clone(), ..candidate };
        assert_eq!(check_stage(Some(&state), &forged, None).outcome, ChainOutcome::Broken);
        state.stable = None;
        (state.phase, state.assigned) = (Phase::RolledBack, false);
        assert!(check_stage(Some(&state), &stable, None).sentence.contains("leaves nothing there"));
    }

    #[test]
    fn a_journal_that_is_gone_is_not_taken_for_agreement() {
        let held = sample::pending(Kind::Deploy).candidate;
        assert_eq!(check_stage(None, &held, Some("r-1#3")).outcome, ChainOutcome::Unknown);
        assert_eq!(check_stage(None, &held, None).outcome, ChainOutcome::NotApplicable);
    }
}
