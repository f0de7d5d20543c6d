//! What follows a decision about a delivery.

use dacapo_domain::{CONDUCTOR, Delivery, DeliveryEffect, DeliveryMessage, Json, Message};

use crate::port::{Envelope, PortResult, Ports};

/// Does what a decision about a delivery asks for. What fails is said and left to the conductor.
pub(crate) async fn perform(ports: &Ports, delivery: &Delivery, body: &Json, effects: &[DeliveryEffect]) {
    for effect in effects {
        if let Err(error) = perform_one(ports, delivery, body, effect).await {
            tracing::warn!(delivery = delivery.key(), ?effect, %error, "left to the conductor");
        }
    }
}

async fn perform_one(ports: &Ports, delivery: &Delivery, body: &Json, effect: &DeliveryEffect) -> PortResult<()> {
    let message = Message::Delivery(DeliveryMessage::about(delivery));
    match effect {
        DeliveryEffect::Send(delay) => {
            ports.queues.send(&delivery.function, &Envelope { message, delay: *delay }).await
        }
        DeliveryEffect::Schedule(at) => {
            let name = timer_name(delivery);
            ports.timers.put(&name, *at, &delivery.function, &message).await
        }
        DeliveryEffect::DeadLetter => {
            let text = Message::Event(delivery.message(body.clone())).to_text();
            ports.queues.dead_letter(&delivery.function, &text).await
        }
    }
}

/// Names the one-time schedule of a delivery: one held back is the conductor's, and it has no other.
fn timer_name(delivery: &Delivery) -> String {
    let whose = if delivery.function == CONDUCTOR { "event" } else { delivery.function.as_str() };
    format!("{whose}-{}", delivery.event)
}
