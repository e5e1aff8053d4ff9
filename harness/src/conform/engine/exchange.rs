//! One request over its transport, and whether a target can be tried over a route.

use super::exchange_error::{ExchangeError, connected};
use super::sender::{CarrierQuestion, RequestSender, TargetRequest};
use super::{propagation, request};
use crate::conform::judge::TargetAnswer;
use crate::conform::target::Instance;
use crate::conform::transport::{self, SendFailure, TransportKind, TransportRoute};
use crate::driver::raw;

impl RequestSender<'_> {
    /// Sends a request and returns the answer.
    pub(super) async fn exchange(
        &self,
        instance: &Instance,
        request: &TargetRequest,
        body: &str,
    ) -> Result<TargetAnswer, ExchangeError> {
        let fields = &request.sent;
        if let Some(CarrierQuestion { carrier, body }) = &request.question {
            let asked =
                propagation::exchange(instance.socket, *carrier, body.clone(), self.options.timeout).await;
            let (status, injected) = asked.map_err(ExchangeError::Answer)?;
            self.listener.keep(request.key, injected);
            return Ok(TargetAnswer::Status(status));
        }
        let address = match self.start.upstream {
            Some(_) => &instance.address.with_path(self.listener.path(request.key, 0)),
            None => &instance.address,
        };
        let status = match request.route.inward {
            TransportKind::Http1 => {
                let bytes = request::bytes(address, fields, body);
                let stream = connected(instance.socket).await?;
                let answered = raw::request(stream, &bytes, false).await;
                let (status, answer_fields) =
                    answered.map_err(|error| ExchangeError::Answer(SendFailure(error.to_string())))?;
                self.listener.keep_answer(request.key, answer_fields);
                status
            }
            TransportKind::Http2 => {
                let stream = connected(instance.socket).await?;
                let sent = transport::send_http2(stream, &address.to_string(), fields, body).await;
                sent.map_err(ExchangeError::Answer)?
            }
            TransportKind::Grpc => {
                let address = instance.grpc.expect("`lacks` has refused a target without it");
                transport::send_grpc(address, fields, body).await.map_err(ExchangeError::Answer)?
            }
            TransportKind::Kafka | TransportKind::RabbitMq | TransportKind::Sqs => {
                let sent = self.clients.send(request.route.inward, fields, body).await;
                sent.map_err(ExchangeError::NotSent)?;
                return Ok(TargetAnswer::Delivered);
            }
        };
        Ok(TargetAnswer::Status(status))
    }
}

/// Returns the reason why a target cannot be tried over a route.
pub(super) fn lacks(instance: &Instance, route: TransportRoute) -> Option<String> {
    if let Some(need) = route.missing(|need| instance.can(need)) {
        return Some(format!("the target does not have the capability `{need}`"));
    }
    match route.inward {
        TransportKind::Grpc if instance.grpc.is_none() => {
            Some("the ready line of the target names no gRPC address".to_owned())
        }
        TransportKind::Http2 if !instance.speaks_http2 => {
            Some("the target does not speak HTTP/2 without TLS".to_owned())
        }
        TransportKind::Http1
        | TransportKind::Http2
        | TransportKind::Grpc
        | TransportKind::Kafka
        | TransportKind::RabbitMq
        | TransportKind::Sqs => None,
    }
}
