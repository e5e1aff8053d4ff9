//! Many stimuli at once, cancelling, secrets, and what is refused before anything is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;

use super::super::DriverError;
use super::fixture::{Case, OK, service};
use crate::evidence::Answer;
use crate::plan::StimulusIx;
use crate::scenario::{HttpVersion, Marker, TemplatePart};

/// Requests that a service has read, and exchanges that the driver has reported; between them lies what is
/// under way.
#[derive(Default)]
struct UnderWay {
    read: AtomicUsize,
    reported: AtomicUsize,
    most: AtomicUsize,
}

impl UnderWay {
    fn read_one(&self) {
        let read = self.read.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(read - self.reported.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

/// Answers when four requests wait, and gives a fifth every chance to come before.
async fn answer_by_fours(mut stream: TcpStream, four: Arc<Barrier>, under_way: Arc<UnderWay>) {
    let mut request = vec![0; 4096];
    while stream.read(&mut request).await.unwrap_or(0) > 0 {
        under_way.read_one();
        four.wait().await;
        for _ in 0..500 {
            tokio::task::yield_now().await;
        }
        stream.write_all(OK).await.unwrap();
    }
}

#[tokio::test]
async fn as_many_stimuli_are_under_way_as_the_drive_allows_and_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let under_way = Arc::new(UnderWay::default());
    let shared = Arc::clone(&under_way);
    tokio::spawn(async move {
        let four = Arc::new(Barrier::new(4));
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_by_fours(stream, Arc::clone(&four), Arc::clone(&shared)));
        }
    });
    let mut case = Case::http(HttpVersion::Http1);
    (case.drive.times, case.drive.concurrency) = (20, 4);
    let count = |_: &_| {
        under_way.reported.fetch_add(1, Ordering::SeqCst);
    };
    let exchanges = case.driver(address).unwrap().drive_all(count).await;
    let order: Vec<_> = exchanges.iter().map(|exchange| exchange.stimulus.0).collect();
    assert_eq!(order, (0..20).collect::<Vec<_>>());
    assert!(exchanges.iter().all(|exchange| exchange.answer == Answer::Http(200)));
    assert_eq!((under_way.most.load(Ordering::SeqCst), under_way.reported.load(Ordering::SeqCst)), (4, 20));
}

#[tokio::test]
async fn dropping_what_is_under_way_closes_its_connection() {
    for name in ["x-plain", "X-By-Hand"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let case = Case::http(HttpVersion::Http1).header(name, "1");
        let driver = case.driver(listener.local_addr().unwrap()).unwrap();
        let sending = tokio::spawn(async move { driver.drive_all(|_| ()).await });
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap();
        sending.abort();
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(std::time::Duration::from_secs(20), stream.read_to_end(&mut rest));
        let _ = ended.await.expect("the connection ends with its request");
    }
}

#[tokio::test]
async fn a_missing_variable_is_named_before_anything_is_sent() {
    let (address, mut seen) = service(OK).await;
    let name = "UNBROKEN_TEST_NOT_SET".to_owned();
    let case = Case::http(HttpVersion::Http1).header_of("authorization", TemplatePart::Env(name));
    let error = case.driver(address).unwrap_err();
    assert!(matches!(&error, DriverError::MissingVariable { name, .. } if name == "UNBROKEN_TEST_NOT_SET"));
    assert!(error.to_string().contains("`UNBROKEN_TEST_NOT_SET`") && error.to_string().contains("`order`"));
    assert!(seen.try_recv().is_err());
}

/// `PATH` stands for a secret here: it is set wherever tests run.
#[tokio::test]
async fn secrets_go_out_and_never_into_errors_or_debug_output() {
    let secret = std::env::var("PATH").unwrap();
    let variable = || TemplatePart::Env("PATH".to_owned());
    for name in ["authorization", "Authorization"] {
        let (address, mut seen) = service(OK).await;
        let case = Case::http(HttpVersion::Http1).header_of(name, variable());
        let driver = case.driver(address).unwrap();
        assert_eq!(driver.send(StimulusIx(0)).await.answer, Answer::Http(200));
        let (_, request) = seen.recv().await.unwrap();
        assert!(request.contains(&format!("\r\n{name}: {secret}\r\n")), "{request}");
        assert!(!format!("{driver:?}").contains(&secret));

        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for answer in [b"".as_slice(), b"junk"] {
            let (closing, _seen) = service(answer).await;
            for address in [nobody, closing] {
                let exchange = case.driver(address).unwrap().send(StimulusIx(0)).await;
                assert!(matches!(exchange.answer, Answer::Failed(_)), "{exchange:?}");
                assert!(!format!("{exchange:?}").contains(&secret));
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_said_before_anything_is_sent() {
    let (address, _seen) = service(OK).await;
    let error = |case: Case| case.driver(address).unwrap_err().to_string();
    let split = Case::http(HttpVersion::Http1).header("x-a", "1\r\nx-b: 2");
    assert!(error(split).starts_with("header `x-a` cannot be sent over `order`"));
    let control = Case::http(HttpVersion::Http2).header("x-a", "\u{1}");
    assert!(error(control).starts_with("header `x-a` cannot be sent over `order`"));
    let foreign = Case::http(HttpVersion::Http1).header_of("x-a", TemplatePart::SelfPort);
    assert!(error(foreign).contains("`${self.port}`"));
    let mut marker = Case::http(HttpVersion::Http1).body("[1]");
    marker.shop.marker = Some(Marker::Body("id".to_owned()));
    assert!(error(marker).contains("must be a JSON object"));
    assert!(error(Case::grpc(None, false)).starts_with("hop `order` has no gRPC `method`"));
    let mut tls = Case::http(HttpVersion::Http1);
    tls.hop.tls = true;
    assert!(error(tls).contains("no certificate authority"));
}
