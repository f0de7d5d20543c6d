//! Random expressions of the whole grammar, most of them ones that fire soon.

use fastrand::Rng;

/// Six fields, always readable.
pub fn expression(rng: &mut Rng) -> String {
    let minute = field(rng, 0, 59, &[]);
    let hour = field(rng, 0, 23, &[]);
    let month = if rng.u8(..10) < 6 { "*".to_owned() } else { field(rng, 1, 12, &MONTHS) };
    let year = match rng.u8(..20) {
        0 => field(rng, 1970, 2199, &[]),
        1 => format!("{}-{}", rng.u16(2020..2030), rng.u16(2030..2060)),
        2 => "2024/3".to_owned(),
        _ => "*".to_owned(),
    };
    let (of_month, of_week) =
        if rng.bool() { (day_of_month(rng), "?".to_owned()) } else { ("?".to_owned(), day_of_week(rng)) };
    format!("{minute} {hour} {of_month} {month} {of_week} {year}")
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

fn day_of_month(rng: &mut Rng) -> String {
    match rng.u8(..6) {
        0 => "L".to_owned(),
        1 => format!("{}W", rng.u8(1..=31)),
        2 => "*".to_owned(),
        _ => field(rng, 1, 31, &[]),
    }
}

fn day_of_week(rng: &mut Rng) -> String {
    match rng.u8(..6) {
        0 => "L".to_owned(),
        1 => format!("{}L", rng.u8(1..=7)),
        2 => format!("{}#{}", rng.u8(1..=7), rng.u8(1..=5)),
        3 => "*".to_owned(),
        _ => list(rng, 1, 7, &DAYS, false),
    }
}

fn field(rng: &mut Rng, least: u16, most: u16, names: &[&str]) -> String {
    match rng.u8(..5) {
        0 => "*".to_owned(),
        1 => format!("*/{}", rng.u16(1..=most.min(20))),
        _ => list(rng, least, most, names, true),
    }
}

fn list(rng: &mut Rng, least: u16, most: u16, names: &[&str], steps: bool) -> String {
    let count = [1, 1, 1, 2, 3][rng.usize(..5)];
    let items: Vec<String> = (0..count).map(|_| item(rng, least, most, names, steps)).collect();
    items.join(",")
}

fn item(rng: &mut Rng, least: u16, most: u16, names: &[&str], steps: bool) -> String {
    let from = rng.u16(least..=most);
    let to = rng.u16(from..=most);
    let step = rng.u16(1..=most.min(12));
    match rng.u8(..6) {
        0 if steps => format!("{from}/{step}"),
        1 if steps => format!("{from}-{to}/{step}"),
        2 | 3 if !names.is_empty() && rng.bool() => {
            format!("{}-{}", names[usize::from(from - least)], names[usize::from(to - least)])
        }
        2 | 3 => format!("{from}-{to}"),
        4 if !names.is_empty() => names[usize::from(from - least)].to_owned(),
        _ => from.to_string(),
    }
}

/// A moment of the years 2000 to 2059, often within a day of a change of the clocks in Europe or America.
pub fn moment(rng: &mut Rng) -> jiff::Timestamp {
    let changes = [1_774_746_000, 1_792_890_000, 1_772_953_200, 1_793_512_800, 1_775_314_800, 1_759_593_600];
    let second = match rng.bool() {
        true => changes[rng.usize(..changes.len())] + rng.i64(-90_000..90_000),
        false => rng.i64(946_684_800..2_840_140_800),
    };
    jiff::Timestamp::from_millisecond(second * 1_000 + [0, 0, 1, 999][rng.usize(..4)]).unwrap()
}
