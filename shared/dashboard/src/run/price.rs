//! The price of a run on AWS, estimated from its record.

use dacapo::Usage;
use dacapo_domain::PRICES_OF;
use maud::{Markup, html};

/// The price, and what it is made of.
pub fn sheet(usage: &Usage) -> Markup {
    let million = usage.price_of_a_million();
    html! {
        div class="sheet" {
            h2 { "Price on AWS" }
            p { b { (dollars(million / 1e6)) } span class="soft" { " so far; " (format!("${million:.2}")) " a million such runs" } }
            details id="price" {
                summary { "What a million such are made of" }
                dl class="facts" {
                    @for (what, price) in usage.parts_of_a_million() {
                        @if price > 0.0 { div class="wide" { dt { (what) } dd { (format!("${price:.2}")) } } }
                    }
                }
                p class="soft" {
                    "An estimate from the run's record by list prices (" (PRICES_OF) "), wherever it ran. It is without "
                    (Usage::LEFT_OUT) "."
                }
            }
        }
    }
}

/// A price by its first two digits that are not zero.
fn dollars(price: f64) -> String {
    let zeros = (0..12).find(|zeros| price * 10_f64.powi(*zeros) >= 1.0).unwrap_or_default();
    format!("${price:.*}", usize::try_from(zeros + 1).unwrap_or_default().max(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn price_of_one_run_is_told_by_two_digits_and_at_least_in_cents() {
        let told = [5.4e-6, 0.0, 0.012, 1.5, 99.999].map(dollars);
        assert_eq!(told, ["$0.0000054", "$0.00", "$0.012", "$1.50", "$100.00"]);
    }
}
