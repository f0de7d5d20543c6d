use dacapo::{TaskRef, assert_unique};

const ONE: TaskRef<u32> = TaskRef::new("send welcome");
const OTHER: TaskRef<u32> = TaskRef::new("Send-Welcome");

const _: () = assert_unique(&[ONE.name(), OTHER.name()]);

fn main() {}
