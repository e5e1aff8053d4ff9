//! Exports spans with the OpenTelemetry SDK for Rust: ENDPOINT PROTOCOL COMPRESSION COUNT.

use std::error::Error;

use opentelemetry::trace::{Link, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{
    Compression, Protocol, SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;

fn exporter(endpoint: &str, protocol: &str, compression: &str) -> Result<SpanExporter, Box<dyn Error>> {
    let gzip = compression == "gzip";
    if protocol == "grpc" {
        let mut builder = SpanExporter::builder().with_tonic().with_endpoint(endpoint);
        if gzip {
            builder = builder.with_compression(Compression::Gzip);
        }
        return Ok(builder.build()?);
    }
    let kind = if protocol == "http/json" { Protocol::HttpJson } else { Protocol::HttpBinary };
    let endpoint = format!("{endpoint}/v1/traces");
    let mut builder = SpanExporter::builder().with_http().with_protocol(kind).with_endpoint(endpoint);
    if gzip {
        builder = builder.with_compression(Compression::Gzip);
    }
    Ok(builder.build()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Runtime::new()?;
    let _inside = runtime.enter();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter(&arguments[1], &arguments[2], &arguments[3])?)
        .with_resource(Resource::builder_empty().with_service_name("rust").build())
        .build();
    let tracer = provider.tracer("exporters");
    let count: i64 = arguments[4].parse()?;
    for index in 0..count / 2 {
        let number = KeyValue::new("index", index);
        let parent = tracer.span_builder("parent").with_attributes([number.clone()]).start(&tracer);
        let inside = Context::new().with_span(parent);
        let link = Link::new(inside.span().span_context().clone(), vec![KeyValue::new("linked", true)], 0);
        let child = tracer.span_builder("child").with_links(vec![link]).with_attributes([number]);
        drop(child.start_with_context(&tracer, &inside));
    }
    provider.force_flush()?;
    provider.shutdown()?;
    Ok(())
}
