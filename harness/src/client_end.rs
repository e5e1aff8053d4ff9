//! The end of clients that block: librdkafka joins its own threads when a client is dropped, which takes up to 100 ms.

use std::thread;

/// Drops something on a thread of its own: nobody waits for its end. If no thread can be started, it is dropped here.
pub(crate) fn in_background<T: Send + 'static>(clients: T) {
    let _ = thread::Builder::new().name("end of clients".to_owned()).spawn(move || drop(clients));
}
