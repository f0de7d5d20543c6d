//! State diagrams in Mermaid's words, drawn from the tables.

use std::fmt::Debug;

/// An input that leads from one phase to another, or to the end of the record.
pub(crate) struct Arrow<P, I> {
    pub from: P,
    pub to: Option<P>,
    pub input: I,
}

/// A diagram: arrows between the same phases are one, labelled with all their inputs.
pub(crate) fn draw<P: Debug + PartialEq, I: Debug>(
    first: P,
    last: &[P],
    arrows: impl IntoIterator<Item = Arrow<P, I>>,
) -> String {
    let mut merged: Vec<(Arrow<P, I>, String)> = vec![];
    for arrow in arrows {
        match merged.iter_mut().find(|(other, _)| (&other.from, &other.to) == (&arrow.from, &arrow.to)) {
            Some((_, labels)) => *labels += &format!(", {:?}", arrow.input),
            None => {
                let label = format!("{:?}", arrow.input);
                merged.push((arrow, label));
            }
        }
    }
    let mut text = format!("stateDiagram-v2\n    [*] --> {first:?}\n");
    for (Arrow { from, to, .. }, labels) in &merged {
        let to = to.as_ref().map_or_else(|| "[*]".to_owned(), |to| format!("{to:?}"));
        text += &format!("    {from:?} --> {to}: {labels}\n");
    }
    for last in last {
        text += &format!("    {last:?} --> [*]\n");
    }
    text
}

/// The targets as arrows of one input; one that leads nowhere else stays.
pub(crate) fn arrows<P: Copy, I: Copy>(from: P, input: I, to: &[P]) -> Vec<Arrow<P, I>> {
    let to = if to.is_empty() { &[from][..] } else { to };
    to.iter().map(|to| Arrow { from, to: Some(*to), input }).collect()
}
