use dacapo::TaskRef;

const LONG: TaskRef<u32> = TaskRef::new("a-name-that-goes-on-and-on-and-on-and-on-and-on-and-on-and-on-and");

fn main() {
    let _ = LONG.name();
}
