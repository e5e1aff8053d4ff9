//! The threads that talk to the engine: containers and their logs outlast the asynchronous runtime of any one test.

use std::io;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// They may be dropped anywhere, also where whoever waited for an engine gave up: a runtime must not end inside of
/// another.
#[derive(Debug)]
pub(super) struct OwnThreads(Option<Runtime>);

impl OwnThreads {
    pub(super) fn new() -> io::Result<OwnThreads> {
        let mut threads = Builder::new_multi_thread();
        threads.worker_threads(2).thread_name("containers").enable_all();
        threads.build().map(|runtime| OwnThreads(Some(runtime)))
    }

    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.0.as_ref().expect("it is taken when it is dropped").spawn(work)
    }
}

impl Drop for OwnThreads {
    fn drop(&mut self) {
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
}
