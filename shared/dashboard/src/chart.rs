//! Charts, drawn here as SVG: bars on a line of time, and columns by time. They stretch with their page, and are words to
//! who doesn't see them.

use jiff::Timestamp;
use maud::{Markup, html};

use dacapo_domain::until;

/// A window of time that bars are drawn in.
#[derive(Clone, Copy)]
pub struct Window {
    /// The beginning, at the left.
    pub from: Timestamp,
    /// The end, at the right.
    pub to: Timestamp,
}

/// The least width of a bar, in percent: a moment is seen, too.
const LEAST: f64 = 0.6;

/// The height of the tallest column, in pixels.
const TALLEST: u32 = 90;

/// A column of a chart: what is good and what failed, one on the other.
#[derive(Clone, Default)]
pub struct Column {
    /// The number that failed.
    pub failed: u32,
    /// The number of all else.
    pub others: u32,
}

impl Window {
    /// The place of a moment, in percent from the left.
    fn percent(self, at: Timestamp) -> f64 {
        let whole = until(self.from, self.to).as_secs_f64();
        let part = until(self.from, at).as_secs_f64();
        if whole > 0.0 { (part / whole * 100.0).min(100.0) } else { 0.0 }
    }
}

/// A bar from one moment to another.
pub fn bar(window: Window, from: Timestamp, to: Timestamp, class: &str, says: &str) -> Markup {
    let width = (window.percent(to) - window.percent(from)).max(LEAST);
    let left = window.percent(from).min(100.0 - width);
    html! {
        svg class="bar-line" width="100%" height="10" role="img" aria-label=(says) {
            title { (says) }
            rect class=(class) x=(format!("{left:.2}%")) width=(format!("{width:.2}%")) height="10" rx="2" {}
        }
    }
}

/// Columns by time, the last at the right.
pub fn columns(columns: &[Column], says: &str) -> Markup {
    let most = columns.iter().map(|column| column.failed + column.others).max().unwrap_or_default().max(1);
    let high = |count: u32| count * TALLEST / most + u32::from(count > 0);
    let slot = 100.0 / f64::from(u32::try_from(columns.len()).unwrap_or(1).max(1));
    let rect = |class: &str, left: &str, top: u32, height: u32| {
        html! { rect class=(class) x=(left) y=(top) width=(format!("{:.2}%", slot * 0.8)) height=(height) rx="1" {} }
    };
    html! {
        svg class="columns-chart" width="100%" height=(TALLEST + 2) role="img" aria-label=(says) {
            title { (says) }
            @for (n, column) in (0_u32..).zip(columns) {
                @let left = format!("{:.2}%", f64::from(n) * slot);
                @let (failed, others) = (high(column.failed), high(column.others));
                @if failed > 0 { (rect("failed", &left, TALLEST + 2 - failed, failed)) }
                @if others > 0 { (rect("completed", &left, (TALLEST + 2).saturating_sub(failed + others), others)) }
            }
        }
    }
}
