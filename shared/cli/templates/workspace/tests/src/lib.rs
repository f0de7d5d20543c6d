//! Nothing of its own: the tests beside it are of the deployed app.
