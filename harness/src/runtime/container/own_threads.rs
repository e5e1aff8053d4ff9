//! The threads that talk to the engine: containers and their logs outlive the asynchronous runtime of any one test.

use std::io;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// Owns the runtime whose threads talk to the engine. It may be dropped inside another runtime, where a plain `Runtime`
/// would panic.
#[derive(Debug)]
pub(super) struct EngineThreads(Option<Runtime>);

impl EngineThreads {
    pub(super) fn new() -> io::Result<EngineThreads> {
        let mut threads = Builder::new_multi_thread();
        threads.worker_threads(2).thread_name("containers").enable_all();
        threads.build().map(|runtime| EngineThreads(Some(runtime)))
    }

    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.0.as_ref().expect("it is taken when it is dropped").spawn(work)
    }
}

impl Drop for EngineThreads {
    fn drop(&mut self) {
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
}
