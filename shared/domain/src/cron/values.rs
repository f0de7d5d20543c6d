//! The values that an expression names in a field.

use super::{
    CronField, CronProblem,
    field::{Field, number},
};

/// One value, and whether it was named or numbered.
#[derive(Clone, Copy)]
struct Value {
    number: i16,
    named: bool,
}

impl Field {
    /// The values that `text` names, sorted: `*`, or a list of values, ranges and steps.
    pub fn values_of(&self, text: &str) -> Result<Vec<i16>, CronProblem> {
        if text == "*" {
            return Ok((self.least..=self.most).collect());
        }
        let mut values = Vec::new();
        for item in text.split(',') {
            values.extend(self.item(item)?);
        }
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }

    fn item(&self, item: &str) -> Result<Vec<i16>, CronProblem> {
        match item {
            "" => return Err(CronProblem::EmptyItem(self.field)),
            "*" => return Err(CronProblem::StarInList(self.field)),
            _ if item.contains('?') => return Err(CronProblem::Question(self.field)),
            _ => {}
        }
        let Some((range, step)) = item.split_once('/') else {
            let (from, to) = self.range(item)?;
            return Ok((from.number..=to.number).collect());
        };
        if range.is_empty() {
            return Err(CronProblem::StepWithoutStart { field: self.field, given: item.to_owned() });
        }
        let (from, to) = match range {
            "*" => (self.least, self.most),
            // A lone start runs to the field's end.
            _ if !range.contains('-') => (self.value(range)?.number, self.most),
            _ => self.range(range).map(|(from, to)| (from.number, to.number))?,
        };
        let most = self.largest_step.unwrap_or(self.most);
        let step = number(step).filter(|step| (1..=most).contains(step)).ok_or_else(|| CronProblem::StepSize {
            field: self.field,
            given: item.to_owned(),
            most,
        })?;
        let values: Vec<i16> = (from..=to).step_by(usize::from(step.unsigned_abs())).collect();
        let named = range.contains(|c: char| c.is_ascii_alphabetic());
        if self.largest_step.is_none() || named {
            return Err(CronProblem::Step {
                field: self.field,
                given: item.to_owned(),
                instead: values.iter().map(|value| self.written(*value, named)).collect::<Vec<_>>().join(","),
            });
        }
        Ok(values)
    }

    /// A value, or two joined by a hyphen.
    fn range(&self, text: &str) -> Result<(Value, Value), CronProblem> {
        let Some((from, to)) = text.split_once('-') else {
            let value = self.value(text)?;
            return Ok((value, value));
        };
        let (from, to) = (self.value(from)?, self.value(to)?);
        let (field, given) = (self.field, text.to_owned());
        let named = from.named || to.named;
        let both = |from: i16, to: i16| match (self.written(from, named), self.written(to, named)) {
            (from, to) if from == to => from,
            (from, to) => format!("{from}-{to}"),
        };
        let backwards = from.number > to.number;
        let instead = || match backwards {
            true => format!("{},{}", both(from.number, self.most), both(self.least, to.number)),
            false => both(from.number, to.number),
        };
        if from.named != to.named {
            return Err(CronProblem::Mixed { field, given, instead: instead() });
        }
        if backwards {
            return Err(CronProblem::Backwards { field, given, instead: instead() });
        }
        Ok((from, to))
    }

    fn value(&self, text: &str) -> Result<Value, CronProblem> {
        if let Some(index) = self.names.iter().position(|name| *name == text) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "there are 12 at most")]
            return Ok(Value { number: self.least + index as i16, named: true });
        }
        let (field, given) = (self.field, text.chars().take(40).collect());
        if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
            let number = number(text).filter(|number| (self.least..=self.most).contains(number));
            return match number {
                Some(number) => Ok(Value { number, named: false }),
                None if field == CronField::DayOfWeek && text == "0" => Err(CronProblem::ZeroSunday),
                None => Err(CronProblem::OutOfRange { field, given }),
            };
        }
        let beginning: String = text.chars().take(3).collect::<String>().to_ascii_uppercase();
        let wordy = text.chars().all(|c| c.is_ascii_alphabetic()) && !text.is_empty();
        let instead = self.names.iter().find(|name| **name == beginning).map(|name| (*name).to_owned());
        if wordy && !self.names.is_empty() {
            return Err(CronProblem::Spelling { field, given, instead });
        }
        Err(CronProblem::Unreadable { field, given })
    }
}
