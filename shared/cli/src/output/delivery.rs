//! Deliveries, for people.

use console::{Style, style};
use dacapo::{DeliveryState, DeliveryView, HandlerRecord, HandlerState};
use dacapo_dashboard::show::{ago, pretty};
use jiff::Timestamp;

use super::{Table, explained, line, plain};

/// A state in its colour.
fn state(state: DeliveryState) -> String {
    let colour = match state {
        DeliveryState::Retrying => Style::new().yellow(),
        DeliveryState::Dropped => Style::new().red(),
        DeliveryState::Delivered => Style::new().green(),
    };
    colour.apply_to(state.name()).to_string()
}

/// A list of deliveries.
pub fn table(deliveries: &[DeliveryView], now: Timestamp) -> String {
    if deliveries.is_empty() {
        return "no deliveries".to_owned();
    }
    let mut table = Table::new(&["ID", "STATE", "PUBLISHED", "ATTEMPTS", "NEXT TRY", "ERROR"]);
    for it in deliveries {
        table.row([
            plain(&it.id),
            state(it.state),
            ago(it.published_at, now),
            it.attempts.to_string(),
            it.next_try_at.map_or_else(|| "-".to_owned(), |at| ago(at, now)),
            line(&error(it).unwrap_or_default(), 60),
        ]);
    }
    table.text()
}

fn error(delivery: &DeliveryView) -> Option<String> {
    let message = delivery.error_message.as_ref()?;
    Some(format!("{} {message}", delivery.error_code.as_deref().unwrap_or_default()))
}

/// All of a delivery.
pub fn whole(delivery: &DeliveryView, now: Timestamp) -> String {
    let title = format!("{} at {}", line(&delivery.name, 128), plain(&delivery.function));
    let mut lines = vec![format!("{}  {}", style(title).bold(), state(delivery.state))];
    let mut fact = |name: &str, value: String| lines.push(format!("{}  {value}", style(format!("{name:>9}")).dim()));
    let moment = |at: Timestamp| format!("{at}  {}", style(ago(at, now)).dim());
    fact("id", plain(&delivery.id));
    fact("published", moment(delivery.published_at));
    fact("attempts", delivery.attempts.to_string());
    if let Some(at) = delivery.next_try_at {
        fact("next try", moment(at));
    }
    if delivery.redriven_count > 0 {
        fact("redriven", format!("{} times", delivery.redriven_count));
    }
    for HandlerRecord { handler, attempts, state } in &delivery.handlers {
        let what = match state {
            HandlerState::Done => "done".to_owned(),
            HandlerState::Retrying { due_at, error } => format!("due {}: {}", ago(*due_at, now), plain(&error.message)),
            HandlerState::GivenUp { error } => format!("given up: {}", plain(&error.message)),
        };
        fact("handler", format!("{}, attempt {attempts}, {what}", line(handler, 64)));
    }
    if let Some(error) = error(delivery) {
        fact("error", plain(&error));
    }
    if let Some(help) = explained(delivery.error_code.as_deref()) {
        fact("help", help);
    }
    if let Some(stack) = &delivery.error_stack {
        fact("causes", plain(stack).replace('\n', "\n           "));
    }
    if let Some(body) = &delivery.body {
        fact("body", plain(&pretty(body)).replace('\n', "\n           "));
    }
    lines.join("\n")
}
