//! The compiler's messages on the usual mistakes are part of the API. They are tested where a user's code is: each case
//! is built with this crate's dependencies.

#[test]
fn mistake_in_a_function_is_named_by_the_compiler_where_it_is_made() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
