//! The compiler's messages on the usual mistakes are part of the API. They are tested where a user's code is: each case
//! is built with this crate's dependencies.

#[test]
fn mistakes_are_named_where_they_are_made() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
