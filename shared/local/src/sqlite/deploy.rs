//! The part that CloudFormation has on AWS: the queues and schedules of an app come to be, and go.

use dacapo_core::port::PortResult;
use dacapo_domain::{CONDUCTOR, FunctionEntry, Manifest, ScheduleEntry};
use rusqlite::Connection;

use super::{
    Database, QueueSpec, function_dlq,
    rows::{execute, millis, query},
    schedules::{self, Declared},
};

impl Database {
    /// Makes the app what the manifest says: its functions' queues, the conductor's and the app's dead-letter
    /// queue, and its declared schedules. The manifest itself is a record, which the core stores. Queues of functions that are gone are deleted
    /// with what is in them. A declared schedule that is as before keeps its next fire. For functions that are not
    /// `served` nothing is due: their messages, executions and schedules wait.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn deploy(&self, manifest: &Manifest, served: impl Fn(&FunctionEntry) -> bool + Send) -> PortResult<()> {
        let mut queues: Vec<_> =
            manifest.functions.iter().map(|function| (QueueSpec::of(function), served(function))).collect();
        if !queues.iter().any(|(queue, _)| queue.function == CONDUCTOR) {
            queues.push((QueueSpec::of(&FunctionEntry::conductor()), true));
        }
        queues.push((QueueSpec::app_dlq(), true));
        let (schedules, now) = (declared(manifest), millis(self.now()));
        self.call_and_wake(move |connection| {
            remove_others(connection, &queues)?;
            for (queue, is_served) in &queues {
                queue.put(connection, *is_served)?;
            }
            schedules::declare(connection, &schedules, now)?;
            Ok(())
        })
        .await
    }

    /// Creates or changes one queue, and nothing else.
    ///
    /// # Errors
    /// If the database can't be used.
    pub async fn declare_queue(&self, queue: &QueueSpec) -> PortResult<()> {
        let queue = queue.clone();
        self.call_and_wake(move |connection| Ok(queue.put(connection, true)?)).await
    }
}

fn declared(manifest: &Manifest) -> Vec<Declared> {
    let entries =
        manifest.tasks().flat_map(|(function, task)| task.schedules.iter().map(move |entry| (function, entry)));
    let declared = |(function, entry): (&FunctionEntry, &ScheduleEntry)| Declared {
        name: entry.name.clone(),
        function: function.name.clone(),
        schedule: entry.schedule.clone(),
    };
    entries.map(declared).collect()
}

fn remove_others(connection: &Connection, queues: &[(QueueSpec, bool)]) -> rusqlite::Result<()> {
    let there: Vec<String> = query(connection, "SELECT name FROM queues", [], |row| row.get(0))?;
    for name in there.iter().filter(|name| !queues.iter().any(|(queue, _)| queue.function == **name)) {
        execute(connection, "DELETE FROM messages WHERE queue IN (?1, ?2)", [name, &function_dlq(name)])?;
        execute(connection, "DELETE FROM queues WHERE name = ?1", [name])?;
    }
    Ok(())
}
