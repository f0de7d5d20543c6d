//! A client of a function's own, which its definition asks for.

#[tokio::test]
async fn client_in_a_function_that_does_not_say_that_it_uses_one_is_refused() {
    dacapo_client::within_function(false);
    let refused = dacapo_client::client_from_env().await.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("(add `.uses_client()` to it; "), "{refused}");
}
