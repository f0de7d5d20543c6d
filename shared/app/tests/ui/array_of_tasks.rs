use dacapo::prelude::*;

const SEND_WELCOME: TaskRef<Welcome> = TaskRef::new("send-welcome");

#[derive(serde::Serialize, serde::Deserialize)]
struct Welcome {
    email: String,
}

fn function() -> impl Function {
    [task(SEND_WELCOME, send_welcome)]
}

async fn send_welcome(_user: Welcome, _cx: TaskContext) -> Result<(), TaskError> {
    Ok(())
}

fn main() {
    let _ = function();
}
