//! The pace of starts: where more comes than can be run, a start is acknowledged no faster than one is taken.
//!
//! A start is stored before it waits here, so who goes away meanwhile loses nothing.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use dacapo_domain::Effect;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

/// A queue of which nothing is taken for so long waits for slow handlers: its starts wait for nothing.
const MOVES_WITHIN: Duration = Duration::from_millis(20);

/// The longest time for which a start waits.
const PATIENCE: Duration = Duration::from_secs(1);

/// The queues that starts go to.
#[derive(Default)]
pub struct Admission {
    queues: Mutex<HashMap<String, Arc<Queue>>>,
}

struct Queue {
    /// Is true where messages that are due have found no room.
    is_crowded: AtomicBool,
    taken_at: Mutex<Instant>,
    /// Starts that wait, and the messages that were taken for them.
    waiting: AtomicUsize,
    taken: Semaphore,
}

impl Admission {
    /// So many messages of a queue were taken, and others that are due found no room or all did.
    pub fn took(&self, queue: &str, messages: usize, is_crowded: bool) {
        let queue = self.queue(queue);
        queue.is_crowded.store(is_crowded, Relaxed);
        if messages > 0 {
            *queue.taken_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
        let waiting = queue.waiting.load(Relaxed).saturating_sub(queue.taken.available_permits());
        queue.taken.add_permits(if is_crowded { messages.min(waiting) } else { waiting });
    }

    /// Waits until what was sent has its turn to be acknowledged.
    pub async fn admit(&self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Send { to, delay: Duration::ZERO, .. } = effect {
                self.queue(to).admit().await;
            }
        }
    }

    fn queue(&self, name: &str) -> Arc<Queue> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get(name) {
            return queue.clone();
        }
        queues.entry(name.to_owned()).or_insert_with(|| Arc::new(Queue::new())).clone()
    }
}

impl Queue {
    fn new() -> Self {
        let (is_crowded, taken_at) = (AtomicBool::new(false), Mutex::new(Instant::now()));
        Self { is_crowded, taken_at, waiting: AtomicUsize::new(0), taken: Semaphore::new(0) }
    }

    fn moves(&self) -> bool {
        self.taken_at.lock().unwrap_or_else(PoisonError::into_inner).elapsed() < MOVES_WITHIN
    }

    async fn admit(&self) {
        let began = Instant::now();
        self.waiting.fetch_add(1, Relaxed);
        // In the order of their coming.
        let mut turn = std::pin::pin!(self.taken.acquire());
        while self.is_crowded.load(Relaxed) && self.moves() && began.elapsed() < PATIENCE {
            if let Ok(Ok(taken)) = timeout(MOVES_WITHIN, &mut turn).await {
                taken.forget();
                break;
            }
        }
        self.waiting.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use dacapo_domain::{Fire, Message};
    use jiff::Timestamp;

    use super::*;

    fn start() -> Vec<Effect> {
        let fire = Fire { schedule: "s".to_owned(), time: Timestamp::UNIX_EPOCH };
        vec![Effect::send("greet", &Message::Fire(fire))]
    }

    /// The time that a start takes to be acknowledged while this goes on.
    async fn admitted(admission: &Admission, meanwhile: impl Future<Output = ()>) -> u128 {
        let began = Instant::now();
        let effects = start();
        let admitted = async {
            admission.admit(&effects).await;
            began.elapsed().as_millis()
        };
        tokio::select! {
            took = admitted => took,
            () = async { meanwhile.await; std::future::pending().await } => unreachable!("it is pending"),
        }
    }

    /// Takes a message each so many milliseconds, for ever.
    async fn takes(admission: &Admission, queue: &str, every: u64) {
        loop {
            tokio::time::sleep(Duration::from_millis(every)).await;
            admission.took(queue, 1, true);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn start_waits_for_nothing_where_there_is_room() {
        let admission = Admission::default();
        assert_eq!(admitted(&admission, takes(&admission, "other", 1)).await, 0);
        admission.took("greet", 1, true);
        admission.took("greet", 0, false);
        assert_eq!(admitted(&admission, async {}).await, 0, "there is room again");
    }

    #[tokio::test(start_paused = true)]
    async fn starts_are_acknowledged_as_fast_as_messages_are_taken_where_there_is_no_room() {
        let admission = Admission::default();
        admission.took("greet", 1, true);
        let starts = futures::future::join_all((0..8).map(|_| admitted(&admission, std::future::pending())));
        tokio::select! {
            took = starts => assert_eq!(took, [5, 10, 15, 20, 25, 30, 35, 40]),
            () = takes(&admission, "greet", 5) => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn starts_that_wait_are_acknowledged_once_there_is_room() {
        let admission = Admission::default();
        admission.took("greet", 1, true);
        let starts = futures::future::join_all((0..8).map(|_| admitted(&admission, std::future::pending())));
        let room = async {
            tokio::time::sleep(Duration::from_millis(7)).await;
            admission.took("greet", 3, false);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            took = starts => assert_eq!(took, [7; 8]),
            () = room => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn start_waits_no_longer_than_a_moment_for_slow_handlers() {
        let admission = Admission::default();
        admission.took("greet", 1, true);
        assert_eq!(admitted(&admission, takes(&admission, "greet", 50)).await, 20);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(admitted(&admission, std::future::pending()).await, 0, "nothing was taken for long");
    }

    #[tokio::test(start_paused = true)]
    async fn start_behind_many_others_is_acknowledged_after_a_second() {
        let admission = Admission::default();
        admission.took("greet", 1, true);
        let starts = futures::future::join_all((0..500).map(|_| admitted(&admission, std::future::pending())));
        tokio::select! {
            took = starts => assert_eq!(took.last(), Some(&1_000)),
            () = takes(&admission, "greet", 10) => {}
        }
    }
}
