//! Power over the size of a change, as a picture: a panel for each kind of column and number of rows.

use std::fmt::Write as _;

use super::{
    compared::{Found, Unchanged},
    laws::{LAWS, Law},
};

/// Draws of each point.
const DRAWS: u64 = 60;
/// Points of a line, from no change to twice the change of the table.
const POINTS: u32 = 6;
const PANEL: [f64; 2] = [150.0, 104.0];
const GAP: [f64; 2] = [14.0, 16.0];
const MARGIN: [f64; 2] = [92.0, 64.0];

/// Whose line it is, with how it is drawn and what it is called.
type Line = (fn(Found) -> f64, &'static str, &'static str);

const LINES: [Line; 3] = [
    (|found| found.theirs, "stroke=\"#9a9a9a\" stroke-dasharray=\"2 3\"", "Evidently's rules as they are"),
    (
        |found| found.equal,
        "stroke=\"#c05a00\" stroke-dasharray=\"6 3\"",
        "Evidently's scores, as many false alarms",
    ),
    (|found| found.ours, "stroke=\"#0b62b8\"", "default profile"),
];

/// The picture.
pub(super) fn drawn(rows: &[[usize; 2]]) -> String {
    let size = [
        MARGIN[0] + LAWS.len() as f64 * (PANEL[0] + GAP[0]),
        MARGIN[1] + rows.len() as f64 * (PANEL[1] + GAP[1]) + 26.0,
    ];
    let [width, height] = size;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"11\" fill=\"#222\" role=\"img\">\n\
         <title>Share of draws that are called drifted, over the size of the change</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for (at, (_, style, name)) in LINES.into_iter().enumerate() {
        let x = MARGIN[0] + 290.0 * at as f64;
        let _ = writeln!(
            out,
            "<path d=\"M{x} 16h28\" fill=\"none\" stroke-width=\"2\" {style}/><text x=\"{}\" y=\"20\">{name}</text>",
            x + 34.0
        );
    }
    for (row, rows) in rows.iter().enumerate() {
        let y = MARGIN[1] + row as f64 * (PANEL[1] + GAP[1]);
        let _ = writeln!(
            out,
            "<text x=\"4\" y=\"{:.0}\">{} /</text><text x=\"4\" y=\"{:.0}\">{} rows</text>",
            y + 46.0,
            rows[0],
            y + 60.0,
            rows[1]
        );
        for (column, law) in LAWS.into_iter().enumerate() {
            let x = MARGIN[0] + column as f64 * (PANEL[0] + GAP[0]);
            if row == 0 {
                let (name, change) = law.name.split_once(", ").unwrap_or((law.name, ""));
                let _ = writeln!(
                    out,
                    "<text x=\"{x}\" y=\"44\">{name}</text><text x=\"{x}\" y=\"57\" fill=\"#666\">{change}</text>"
                );
            }
            panel(&mut out, law, *rows, [x, y]);
        }
    }
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{:.0}\">from no change to twice the change that is named; from 0 to 100 % of draws; the thin line is 5 %</text>\n</svg>",
        MARGIN[0],
        height - 8.0
    );
    out
}

fn panel(out: &mut String, law: Law, rows: [usize; 2], [x, y]: [f64; 2]) {
    let [width, height] = PANEL;
    let _ = writeln!(
        out,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"none\" stroke=\"#ccc\"/>\
         <path d=\"M{x} {:.1}h{width}\" stroke=\"#ccc\"/>",
        y + 0.95 * height
    );
    let unchanged = Unchanged::draw(law, rows, 0, DRAWS);
    let points: Vec<Found> = (0..=POINTS)
        .map(|at| unchanged.found(2.0 * law.change * f64::from(at) / f64::from(POINTS)))
        .collect();
    for (of, style, _) in LINES {
        let mut path = String::new();
        for (at, found) in points.iter().enumerate() {
            let place = x + width * at as f64 / f64::from(POINTS);
            let _ = write!(
                path,
                "{}{place:.1} {:.1}",
                if at == 0 { 'M' } else { 'L' },
                y + height * (1.0 - of(*found))
            );
        }
        let _ = writeln!(out, "<path d=\"{path}\" fill=\"none\" stroke-width=\"2\" {style}/>");
    }
}
