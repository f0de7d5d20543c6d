#![deny(unused_must_use)]

use dacapo::prelude::*;

const SEND_WELCOME: TaskRef<Welcome> = TaskRef::new("send-welcome");

#[derive(serde::Serialize, serde::Deserialize)]
struct Welcome {
    email: String,
}

async fn start(cx: TaskContext) {
    cx.run(SEND_WELCOME, Welcome { email: String::new() });
}

fn main() {
    let _ = start;
}
