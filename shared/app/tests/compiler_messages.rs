//! What the compiler says of the usual mistakes is part of the API. It is tested where a user's code is: each case is
//! built with this crate's dependencies.

#[test]
fn mistakes_are_named_where_they_are_made() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
