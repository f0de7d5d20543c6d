//! The time that the next 1,000 fires of random expressions take, and the time to see that one never fires:
//! `cargo run --release -p dacapo-domain --example fires`. It prints and asserts nothing: it is no test.

#![expect(clippy::print_stdout, reason = "it is what this prints")]

#[expect(clippy::unwrap_used, reason = "the tests' own module")]
#[path = "../tests/oracle/random.rs"]
mod random;

use std::time::{Duration, Instant};

use dacapo_domain::{Cron, time_zone};

const EXPRESSIONS: usize = 2_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let zones = ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana"];
    let zones = zones.into_iter().map(time_zone).collect::<Result<Vec<_>, _>>()?;
    let mut rng = fastrand::Rng::with_seed(5);
    let mut times: Vec<(Duration, String)> = Vec::new();
    for number in 0..EXPRESSIONS {
        let (expression, after) = (random::expression(&mut rng), random::moment(&mut rng));
        let zone = &zones[number % zones.len()];
        let started = Instant::now();
        let found = Cron::parse(&expression)?.fires_after(after, zone).take(1_000).count();
        times.push((started.elapsed(), format!("{found} fires of {expression} in {:?}", zone.iana_name())));
    }
    times.sort();
    println!("1,000 next fires of {EXPRESSIONS} random expressions:");
    for (rank, name) in [(EXPRESSIONS / 2, "median"), (EXPRESSIONS * 99 / 100, "99 %"), (EXPRESSIONS - 1, "worst")] {
        println!("{name:>8} {:>10.3} ms  {}", times[rank].0.as_secs_f64() * 1e3, times[rank].1);
    }
    println!("none, which takes the whole calendar:");
    let start = "1970-01-01T00:00:00Z".parse()?;
    for expression in ["0 0 30 FEB ? *", "* * 31 FEB,APR,JUN,SEP,NOV ? *", "* * 31W FEB ? *", "* * 29 FEB ? 1970/4"] {
        let cron = Cron::parse(expression)?;
        let started = Instant::now();
        let next = cron.next_after(start, &zones[1]);
        println!("{:>19.3} ms  {expression}: {next:?}", started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(())
}
