use dacapo::TaskRef;

struct Invoice;

const SEND_INVOICE: TaskRef<Invoice> = TaskRef::new("send-invoice");

fn main() {
    let _ = SEND_INVOICE.name();
}
