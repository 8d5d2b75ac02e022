//! The parts of a picture: lines, bands, axes. Only numbers and classes that are ours get into them.

use std::fmt::Write as _;

use tagship_domain::Timestamp;

use super::{
    escape::text,
    scale::{Scale, times},
    thin::Dot,
};

/// Where in a picture something is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plot {
    /// Time, left to right, in milliseconds.
    pub(super) x: Scale,
    /// Values, bottom to top.
    pub(super) y: Scale,
}

impl Plot {
    /// A line from point to point, broken where a value is not known. A point alone is a dot.
    pub(super) fn line(self, dots: &[Dot], class: &str) -> String {
        let mut path = String::new();
        for run in dots.split(|dot| dot.1.is_none()) {
            for (at, (x, y)) in run.iter().filter_map(|dot| Some((dot.0, dot.1?))).enumerate() {
                let command = if at == 0 { 'M' } else { 'L' };
                let _ = write!(path, "{command}{:.1} {:.1}", self.x.at(x), self.y.at(y));
            }
            if run.len() == 1 {
                path.push_str("h0");
            }
        }
        drawn(&path, class)
    }

    /// A line of steps: each value lasts until the next one.
    pub(super) fn steps(self, dots: &[Dot], class: &str) -> String {
        let mut path = String::new();
        for run in dots.split(|dot| dot.1.is_none()) {
            for (at, (x, y)) in run.iter().filter_map(|dot| Some((dot.0, dot.1?))).enumerate() {
                let (x, y) = (self.x.at(x), self.y.at(y));
                let _ = if at == 0 { write!(path, "M{x:.1} {y:.1}") } else { write!(path, "H{x:.1}V{y:.1}") };
            }
        }
        drawn(&path, class)
    }

    /// The area between two lines with the same times.
    pub(super) fn band(self, low: &[Dot], high: &[Dot], class: &str) -> String {
        let known = |dots: &[Dot]| -> Vec<(f64, f64)> {
            dots.iter().filter_map(|dot| Some((self.x.at(dot.0), self.y.at(dot.1?)))).collect()
        };
        let (low, high) = (known(low), known(high));
        if low.len() < 2 || high.len() < 2 {
            return String::new();
        }
        let mut path = String::new();
        for (at, (x, y)) in high.iter().chain(low.iter().rev()).enumerate() {
            let _ = write!(path, "{}{x:.1} {y:.1}", if at == 0 { 'M' } else { 'L' });
        }
        path.push('Z');
        drawn(&path, class)
    }

    /// A line at one value over the whole width.
    pub(super) fn level(self, value: f64, class: &str) -> String {
        let [left, right] = self.x.place;
        drawn(&format!("M{left:.1} {:.1}H{right:.1}", self.y.at(value)), class)
    }

    /// Lines and labels at values.
    pub(super) fn grid(self, ticks: &[f64], label: impl Fn(f64) -> String) -> String {
        let [left, right] = self.x.place;
        let mut out = String::new();
        for tick in ticks {
            let y = self.y.at(*tick);
            let _ = write!(out, "<path class=\"grid\" d=\"M{left:.1} {y:.1}H{right:.1}\"/>");
            let _ = write!(
                out,
                "<text class=\"tick end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                left - 7.0,
                y + 4.0,
                text(&label(*tick))
            );
        }
        out
    }

    /// The axis of times below the picture.
    pub(super) fn clock(self, from: Timestamp, to: Timestamp, most: i64) -> String {
        let (bottom, [left, right]) = (self.y.place[0], self.x.place);
        let mut out = format!("<path class=\"axis\" d=\"M{left:.1} {bottom:.1}H{right:.1}\"/>");
        for (at, label) in times(from, to, most) {
            let x = self.x.at(millis(at));
            let _ = write!(out, "<path class=\"axis\" d=\"M{x:.1} {bottom:.1}v5\"/>");
            let (x, y) = (x.clamp(left + 16.0, right - 16.0), bottom + 21.0);
            let _ = write!(out, "<text class=\"tick mid\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", text(&label));
        }
        out
    }
}

fn drawn(path: &str, class: &str) -> String {
    if path.is_empty() { String::new() } else { format!("<path class=\"{class}\" d=\"{path}\"/>") }
}

/// A time as a place on the axis of times.
pub(super) fn millis(at: Timestamp) -> f64 {
    // Milliseconds of any date that people live in are far below 2^53.
    #[expect(clippy::cast_precision_loss, reason = "exact up to the year 287396")]
    let millis = at.as_millis() as f64;
    millis
}

/// A picture with its name and what it shows in words, for those who do not see it.
pub(super) fn picture(id: &str, size: [u32; 2], title: &str, told: &str, inside: &str) -> String {
    let [width, height] = size;
    format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\
         <title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>{inside}</svg>\n",
        text(title),
        text(told)
    )
}
