//! The stored form of a time: a JSON number or string.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

use super::{Given, LARGEST_DELAY_MS, When};

impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Given::Delay(delay) => {
                let ms = delay.as_nanos().div_ceil(1_000_000);
                match u64::try_from(ms) {
                    // The same length as a number would be taken for a point in time.
                    Ok(ms) if i128::from(ms) <= LARGEST_DELAY_MS => serializer.serialize_u64(ms),
                    _ => serializer.collect_str(&format_args!("{} seconds", delay.as_secs())),
                }
            }
            Given::Number(number) => match u64::try_from(*number) {
                Ok(number) => serializer.serialize_u64(number),
                Err(_) => serializer.serialize_i64(i64::try_from(*number).unwrap_or(i64::MIN)),
            },
            Given::Fraction(number) => serializer.serialize_f64(*number),
            Given::Instant(due) => serializer.collect_str(due),
            Given::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyForm)
    }
}

struct AnyForm;

impl Visitor<'_> for AnyForm {
    type Value = When;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time: a number of milliseconds or a text such as \"5 minutes\"")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<When, E> {
        Ok(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<When, E> {
        Ok(number.into())
    }

    /// JSON has one kind of number, so 5.0 is 5.
    fn visit_f64<E: Error>(self, number: f64) -> Result<When, E> {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole, and `as` saturates")]
        let given = if number.fract() == 0.0 { Given::Number(number as i128) } else { Given::Fraction(number) };
        Ok(When(given))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<When, E> {
        Ok(text.into())
    }
}
