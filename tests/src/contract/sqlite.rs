//! The embedded engine's database as a bench, with a clock that stands until it is stepped.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use dacapo_core::port::{Clock, Ports};
use dacapo_domain::{DueFires, Message};
use dacapo_local::sqlite::{APP_DLQ, Database, Durability, QueueSpec, Rooms, function_dlq};
use dacapo_test_kit::VirtualClock;
use tempfile::TempDir;

use super::Bench;

/// A database, in memory or in a file that can be opened again.
pub struct SqliteBench {
    database: Mutex<Option<Database>>,
    clock: Arc<VirtualClock>,
    file: Option<(TempDir, PathBuf)>,
    names: AtomicU64,
}

impl SqliteBench {
    /// In memory.
    #[must_use]
    pub fn memory() -> Self {
        let clock = clock();
        let database = Database::memory(clock.clone()).expect("a database fits into memory");
        Self { database: Mutex::new(Some(database)), clock, file: None, names: AtomicU64::default() }
    }

    /// In a file.
    #[must_use]
    pub fn file() -> Self {
        let directory = tempfile::tempdir().expect("there is a place for temporary files");
        let path = directory.path().join(".dacapo").join("dev.sqlite");
        let clock = clock();
        let database = Database::open(&path, Durability::Normal, clock.clone()).expect("the database can be created");
        let (database, file) = (Mutex::new(Some(database)), Some((directory, path)));
        Self { database, clock, file, names: AtomicU64::default() }
    }

    fn database(&self) -> Database {
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        database.clone().expect("a bench is open")
    }

    /// Does what the engine does each time something is due, as far as rules see it: timers fire, and schedules.
    async fn tick(&self) {
        let database = self.database();
        loop {
            let due = database.take_due(Rooms::default()).await.expect("what is due can be taken");
            if due.schedules.is_empty() {
                return; // Timers fire once no schedule is due.
            }
            for due in due.schedules {
                let recurrence = due.schedule.check().expect("a rule's schedule is one");
                let fires = recurrence.since(due.put_at).expect("a rule's schedule fires");
                let DueFires { fire, next, .. } = fires.due(due.due, self.clock.now(), &due.schedule);
                let fire: Vec<_> = fire.into_iter().collect();
                database.fire_schedule(&due, &fire, next).await.expect("schedules can fire");
            }
        }
    }

    async fn add_queue(&self, name: &str, has_dead_letters: bool) -> String {
        let function = self.unique(name);
        let visibility = Duration::from_secs(30);
        let queue = QueueSpec { function: function.clone(), visibility, max_receives: Some(3), has_dead_letters };
        self.database().declare_queue(&queue).await.expect("a queue can be declared");
        function
    }

    async fn take(&self, queue: &str) -> Vec<String> {
        let database = self.database();
        let mut texts = vec![];
        for message in database.receive(queue, 10).await.expect("messages can be received") {
            assert!(database.acknowledge(message.receipt).await.expect("messages can be acknowledged"));
            texts.push(message.text);
        }
        texts
    }
}

#[async_trait]
impl Bench for SqliteBench {
    fn ports(&self) -> Ports {
        self.database().ports()
    }

    fn unique(&self, name: &str) -> String {
        format!("{name}-{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    async fn pass(&self, time: Duration) {
        self.clock.move_to(self.clock.now() + time);
        self.tick().await;
    }

    async fn function(&self, name: &str) -> String {
        self.add_queue(name, false).await
    }

    async fn function_with_dlq(&self, name: &str) -> String {
        self.add_queue(name, true).await
    }

    async fn receive(&self, function: &str) -> Vec<Message> {
        self.tick().await;
        let texts = self.take(function).await;
        texts.iter().map(|text| Message::from_text(text).expect("what is sent is a message")).collect()
    }

    async fn function_dlq(&self, function: &str) -> Vec<String> {
        self.take(&function_dlq(function)).await
    }

    async fn app_dlq(&self) -> Vec<String> {
        self.take(APP_DLQ).await
    }

    async fn reopen(&self) {
        let Some((_, path)) = &self.file else { return };
        let mut database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        *database = None;
        *database = Some(
            Database::open(path, Durability::Normal, self.clock.clone()).expect("the database can be opened again"),
        );
    }
}

/// A clock that begins at no whole second, so that rounding shows.
fn clock() -> Arc<VirtualClock> {
    let clock = VirtualClock::new(1);
    clock.move_to(clock.now() + Duration::from_millis(250));
    Arc::new(clock)
}
