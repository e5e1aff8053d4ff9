//! Ctrl-C and SIGTERM: what is under way is ended, and the command says so and leaves.

use tokio::signal::unix::{SignalKind, signal};

/// Comes back at the first SIGINT, SIGTERM or SIGHUP. Whoever hangs up the terminal means the run, too.
pub async fn interrupted() {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let waiting = kinds.into_iter().map(|kind| {
        Box::pin(async move {
            match signal(kind) {
                Ok(mut signals) => {
                    signals.recv().await;
                }
                // Without a handler the signal ends the process at once, and the guard ends the nodes.
                Err(_) => std::future::pending().await,
            }
        })
    });
    futures_util::future::select_all(waiting).await;
}
