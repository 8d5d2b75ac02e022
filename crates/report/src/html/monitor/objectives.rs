//! Objectives: how much of the budget of 30 days is burned, and how fast it burns.

use tagship_domain::slo::{BurnWindow, ObjectiveReport, SloState};

use super::super::{
    escape::text,
    table::{chip, section as titled, table},
};
use crate::number::{grouped_exactly, percent, value};

/// Most objectives.
const MOST: usize = 40;

/// The section; empty where no objective was judged.
pub(super) fn section(objectives: &[ObjectiveReport]) -> String {
    let cards: String = objectives.iter().take(MOST).map(card).collect();
    if cards.is_empty() {
        return String::new();
    }
    titled("slo", "Objectives", &format!("<div class=\"cards\">{cards}</div>\n"))
}

fn card(objective: &ObjectiveReport) -> String {
    let (class, word) = match objective.state {
        SloState::Kept => ("good", "kept"),
        SloState::Burning => ("bad", "burning"),
        SloState::NoData => ("unknown", "no data"),
        SloState::Unknown => ("unknown", "unknown"),
    };
    let rows: Vec<Vec<String>> = objective.windows.iter().map(window).collect();
    let windows = if rows.is_empty() {
        String::new()
    } else {
        let name = format!("Burn rates of {}", objective.name);
        table(&name, &["Windows", "Alarms at", "Long", "Short", "Requests", "Bad"], &rows)
    };
    format!(
        "<article class=\"card\"><h3>{}{}</h3><p class=\"allowed\">{}</p>{}{windows}<p class=\"said\">{}</p></article>\n",
        text(&objective.name),
        chip(class, word),
        text(&objective.asked),
        budget(objective),
        text(&objective.reason)
    )
}

/// The burned share as a bar with its number; only objectives about a share of requests have a budget.
fn budget(objective: &ObjectiveReport) -> String {
    let Some(left) = objective.budget_left else {
        let is_share = !objective.windows.is_empty();
        return if is_share {
            "<p class=\"budget\">Budget of 30 days: unknown</p>".to_owned()
        } else {
            String::new()
        };
    };
    let burned = 1.0 - left;
    let width = (burned.clamp(0.0, 1.0) * 400.0).round();
    let class = if burned >= 1.0 { "spent over" } else { "spent" };
    format!(
        "<p class=\"budget\">Budget of 30 days: {} burned</p><svg class=\"bar\" viewBox=\"0 0 400 10\" aria-hidden=\"true\">\
         <rect class=\"whole\" width=\"400\" height=\"10\" rx=\"5\"/><rect class=\"{class}\" width=\"{width}\" height=\"10\" rx=\"5\"/></svg>",
        text(&percent(burned))
    )
}

fn window(window: &BurnWindow) -> Vec<String> {
    let [long, short] = window.windows;
    let burn =
        |burn: Option<f64>| burn.map_or_else(|| "unknown".to_owned(), |burn| format!("{}×", value(burn)));
    let fires = match window.fires {
        Some(true) => "alarms",
        Some(false) => "quiet",
        None => "unknown",
    };
    vec![
        text(&format!("{long} / {short}")),
        text(&format!("{}× ({}, {fires})", value(window.factor), window.severity)),
        text(&burn(window.burn[0])),
        text(&burn(window.burn[1])),
        text(&grouped_exactly(window.events)),
        text(&grouped_exactly(window.bad)),
    ]
}
