//! An app in a test: its functions, its engine, its clock.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use dacapo::{Client, Definition, Function};
use dacapo_core::{
    function::Handlers,
    port::{Clock, PortResult, Ports},
};
use dacapo_domain::{FunctionEntry, Holds, Manifest};
use dacapo_local::{
    EngineLogs,
    engine::{Engine, InProcess, Invoke, Turn, WithConductor},
    sqlite::Database,
};
use futures::FutureExt;
use jiff::Timestamp;
use tokio::{sync::Mutex, task::JoinSet};

#[cfg(feature = "planted-bugs")]
use crate::planted;
use crate::{clock::VirtualClock, faults::Faults, plan::Dice, processes::FaultyProcesses, trace::Trace};

/// Pieces of work at one moment, at most: beyond, something starts itself again and again.
pub(crate) const AT_ONE_MOMENT: usize = 100_000;
/// The time for which an app may go on until it is idle.
const IDLE_WITHIN: Duration = Duration::from_secs(400 * 86_400);
/// The least that tokio's clock tells apart.
pub(crate) const MOMENT: Duration = Duration::from_millis(1);

/// An app whose functions run in the test, on an engine in memory, under a clock that only the test moves.
///
/// It starts runs and publishes events as a [`Client`] does: `app.run(TASK, body).await?`. Nothing happens before
/// [`advance`](Self::advance) or [`run_until_idle`](Self::run_until_idle) lets it. The clock begins at
/// [`START`](crate::START); the same calls give the same result each time. Handlers run one after another; what a
/// handler itself waits for takes real time.
///
/// # Example
///
/// ```
/// use dacapo::prelude::*;
/// use dacapo_test_kit::TestApp;
///
/// const GREET: TaskRef<String, String> = TaskRef::new("greet");
///
/// async fn greet(name: String, _: TaskContext) -> Result<String, TaskError> {
///     Ok(format!("Hello, {name}"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), dacapo::Error> {
/// let app = TestApp::new().with(task(GREET, greet));
/// app.run(GREET, "Ada".to_owned()).after(minutes(5)).await?;
///
/// app.advance(minutes(4)).await;
/// assert_eq!(app.run_of(GREET).state, dacapo::State::Scheduled);
///
/// app.run_until_idle().await;
/// assert_eq!(app.run_of(GREET).state, dacapo::State::Completed);
/// # Ok(())
/// # }
/// ```
pub struct TestApp {
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) database: Database,
    definitions: Vec<(FunctionEntry, Definition)>,
    pub(crate) engine: Arc<Engine>,
    /// The faults of its processes, where they have any, and the dice for them.
    faults: Option<(Faults, Dice)>,
    /// The work that was taken and has not ended, where it has faults.
    pub(crate) running: Mutex<JoinSet<()>>,
    variables: BTreeMap<String, String>,
    pub(crate) client: Client,
}

impl TestApp {
    /// An app without functions, where nothing goes wrong by itself.
    ///
    /// # Panics
    /// If there is no memory.
    #[must_use]
    pub fn new() -> Self {
        Self::build(0, None)
    }

    /// An app where everything goes wrong that may: its functions and its conductor meet [`Faults`], drawn from
    /// the seed, and what is due goes on beside what runs: what a handler waits for takes the app's time. The test's own
    /// calls meet none.
    ///
    /// Its clock goes on as tokio's does, which is to be paused: `#[tokio::test(start_paused = true)]`.
    ///
    /// # Panics
    /// If there is no memory.
    #[must_use]
    pub fn with_faults(seed: u64) -> Self {
        Self::with_these_faults(seed, Faults::default())
    }

    /// The same with faults as often as given.
    ///
    /// # Panics
    /// If there is no memory.
    #[must_use]
    pub fn with_these_faults(seed: u64, faults: Faults) -> Self {
        Self::build(seed, Some(faults))
    }

    fn build(seed: u64, mut faults: Option<Faults>) -> Self {
        if let Some(faults) = &mut faults {
            faults.trace.get_or_insert_default();
        }
        let clock = if faults.is_some() { VirtualClock::following_tokio(seed) } else { VirtualClock::new(seed) };
        let clock = Arc::new(clock);
        let database = Database::memory(clock.clone()).unwrap_or_else(|error| panic!("{error}"));
        let faults = faults.map(|faults| (faults, Dice::new(seed)));
        let client = Client::new(ports(&database, faults.as_ref()));
        let variables = BTreeMap::new();
        let engine = engine(&database, &[], faults.as_ref(), &variables);
        let running = Mutex::default();
        let app = Self { clock, database, definitions: vec![], engine, faults, running, variables, client };
        app.deploy();
        app
    }

    /// Adds a function. One of event handlers, which on AWS is named after its crate, is named `events-1`,
    /// `events-2` … here, in the order in which they are added.
    ///
    /// # Panics
    /// If options of the function are refused, all of which are said; or if two tasks have one name on AWS.
    #[must_use]
    pub fn with(mut self, function: impl Function) -> Self {
        self.add(Definition::of(function));
        self.deployed()
    }

    /// The same app, with its database and its time, after one deploy of these functions in place of its former ones.
    ///
    /// # Panics
    /// As [`with`](Self::with).
    #[must_use]
    pub fn redeployed(mut self, functions: impl IntoIterator<Item = Definition>) -> Self {
        self.definitions.clear();
        functions.into_iter().for_each(|function| self.add(function));
        self.deployed()
    }

    /// Gives the variable of this name, or the secret, a value in every function that asks for it.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self.deployed()
    }

    fn add(&mut self, definition: Definition) {
        let events = self.definitions.iter().filter(|(entry, _)| matches!(entry.holds, Holds::Events(_))).count();
        let entry = definition.describe(&format!("events-{}", events + 1)).unwrap_or_else(|problems| {
            panic!("the function can't be used:\n- {}", problems.join("\n- "));
        });
        self.definitions.push((entry, definition));
    }

    fn deployed(mut self) -> Self {
        self.engine = engine(&self.database, &self.definitions, self.faults.as_ref(), &self.variables);
        // A client keeps the manifest for a minute: this one has not seen the new functions.
        self.client = Client::new(ports(&self.database, self.faults.as_ref()));
        self.deploy();
        self
    }

    fn deploy(&self) {
        let deployed = self.engine.deploy().now_or_never();
        let deployed = deployed.unwrap_or_else(|| panic!("the database in memory made its caller wait"));
        deployed.unwrap_or_else(|error| panic!("the functions can't be deployed: {error}"));
    }

    /// The app's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The app's clock, which shows the true time: each process may have another.
    #[must_use]
    pub fn clock(&self) -> Arc<VirtualClock> {
        self.clock.clone()
    }

    /// The account of what its processes do, where it has faults.
    #[must_use]
    pub fn trace(&self) -> Trace {
        self.faults.as_ref().and_then(|(faults, _)| faults.trace.clone()).unwrap_or_default()
    }

    /// Sets the app's clock, as a machine's clock is put right or goes wrong: nothing happens before the next
    /// [`advance`](Self::advance). What was to come at a time comes when the clock shows it.
    pub fn set_clock(&self, time: Timestamp) {
        self.clock.set(time);
    }

    /// Lets so much time pass, and all happen that is due meanwhile, each at its time. In an app with faults it is a
    /// millisecond more, in which what is due at the end gets going.
    ///
    /// # Panics
    /// If something starts itself again and again without end; with faults, if tokio's clock is not paused.
    pub async fn advance(&self, time: Duration) {
        let end = self.clock.now() + time;
        if self.faults.is_some() {
            self.go_on(end + MOMENT, false).await;
            return;
        }
        loop {
            match self.settle().await {
                Some(due) if due <= end => self.clock.move_to(due),
                _ => break,
            }
        }
        self.clock.move_to(end);
        self.settle().await;
    }

    /// Lets time pass until nothing is left to do but what recurring schedules will start. A run that waits for a token
    /// without a time-out waits on.
    ///
    /// # Panics
    /// If that takes more than 400 days, or something starts itself again and again without end.
    pub async fn run_until_idle(&self) {
        assert!(self.is_idle_within(IDLE_WITHIN).await, "the app is not idle after 400 days (use `advance`)");
    }

    /// The same for so long at most; says whether nothing is left to do.
    ///
    /// # Panics
    /// If something starts itself again and again without end.
    pub async fn is_idle_within(&self, time: Duration) -> bool {
        let end = self.clock.now() + time;
        if self.faults.is_some() {
            return self.go_on(end, true).await;
        }
        loop {
            let due = self.settle().await;
            let Some(work) = self.next_work().await else { return true };
            if work > end || self.clock.now() > end {
                return false;
            }
            // Schedules that come first fire first.
            let due = due.unwrap_or(work);
            self.clock.move_to(due.min(work));
        }
    }

    /// The next time at which there is something to do but what recurring schedules will start.
    pub(crate) async fn next_work(&self) -> Option<Timestamp> {
        done(self.engine.next_due_of_work(self.next_reconcile()).await)
    }

    /// Does all that is due now, one after another; says when there is something to do next.
    async fn settle(&self) -> Option<Timestamp> {
        let mut pieces = 0;
        loop {
            let Turn { work, next } = done(self.engine.take(|_| usize::MAX).await);
            if work.is_empty() {
                return next;
            }
            pieces += work.len();
            assert!(pieces <= AT_ONE_MOMENT, "something starts itself again and again at {}", self.clock.now());
            for work in work {
                self.engine.perform(work).await;
            }
        }
    }
}

impl Default for TestApp {
    fn default() -> Self {
        Self::new()
    }
}

fn engine(
    database: &Database,
    definitions: &[(FunctionEntry, Definition)],
    faults: Option<&(Faults, Dice)>,
    variables: &BTreeMap<String, String>,
) -> Arc<Engine> {
    let entries = definitions.iter().map(|(entry, _)| entry.clone()).collect();
    let manifest =
        Manifest::new("test", entries).unwrap_or_else(|error| panic!("the functions don't make an app: {error}"));
    let handlers =
        |(entry, definition): &(FunctionEntry, Definition)| (entry.name.clone(), definition.handlers.clone());
    let functions: HashMap<String, Handlers> = definitions.iter().map(handlers).collect();
    let ports = ports(database, faults);
    let invoke: Arc<dyn Invoke> = match faults {
        Some((faults, dice)) => {
            Arc::new(FaultyProcesses::new(ports, functions, variables.clone(), faults.clone(), dice.clone()))
        }
        None => Arc::new(WithConductor::new(
            ports.clone(),
            Arc::new(InProcess::new(ports, functions).with(variables.clone())),
        )),
    };
    let logs: EngineLogs = Arc::new(|log| tracing::info!(%log));
    Arc::new(Engine::new(database.clone(), manifest, invoke, logs))
}

/// The ports of the product: those of the database, with the bug that is planted there.
fn ports(database: &Database, faults: Option<&(Faults, Dice)>) -> Ports {
    let ports = database.ports();
    #[cfg(feature = "planted-bugs")]
    if let Some(bug) = faults.and_then(|(faults, _)| faults.bug) {
        return planted::ports(ports, bug);
    }
    let _ = faults;
    ports
}

/// The database in memory answers at once.
pub(crate) fn now<T>(work: impl Future<Output = PortResult<T>>) -> T {
    done(work.now_or_never().unwrap_or_else(|| panic!("the database in memory made its caller wait")))
}

pub(crate) fn done<T>(reply: PortResult<T>) -> T {
    reply.unwrap_or_else(|error| panic!("the test's database failed: {error}"))
}
