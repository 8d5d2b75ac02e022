//! Commit checks that must be green: one check of the gate for each name in the settings.

use tagship_domain::gate::{CheckKind, GateCheck, Outcome};
use tagship_ports::forge::{CheckState, CommitCheck};

use crate::{plain::plain, text::shown};

pub(crate) fn checks<'a>(
    required: &'a [String],
    found: &'a [CommitCheck],
) -> impl Iterator<Item = GateCheck> + 'a {
    required.iter().map(|name| plain(CheckKind::Checks, name, judge(name, found)))
}

/// Where several checks share the name, the worst one counts.
fn judge(name: &str, found: &[CommitCheck]) -> (Outcome, String) {
    let states = || found.iter().filter(|check| check.name == name).map(|check| check.state);
    let shown_name = shown(name, 120);
    if states().any(|state| state == CheckState::Failure) {
        (Outcome::Failed, format!("the commit check `{shown_name}` failed"))
    } else if states().any(|state| state == CheckState::Pending) {
        (Outcome::Inconclusive, format!("the commit check `{shown_name}` has not finished"))
    } else if states().next().is_some() {
        (Outcome::Successful, format!("the commit check `{shown_name}` is green"))
    } else {
        let mut others: Vec<String> = found.iter().map(|check| shown(&check.name, 60)).collect();
        others.sort_unstable();
        others.dedup();
        let others = if others.is_empty() { "none".to_owned() } else { shown(&others.join(", "), 200) };
        let message = format!("the commit has no check named `{shown_name}`; it has {others}");
        (Outcome::Inconclusive, message)
    }
}
