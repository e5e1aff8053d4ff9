"""Exports spans with the OpenTelemetry SDK for Python: export.py ENDPOINT PROTOCOL COMPRESSION COUNT."""

import sys

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def exporter(endpoint, protocol, compression):
    if protocol == "grpc":
        import grpc
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        kind = grpc.Compression.Gzip if compression == "gzip" else grpc.Compression.NoCompression
        return OTLPSpanExporter(endpoint=endpoint, insecure=True, compression=kind)
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    kind = Compression.Gzip if compression == "gzip" else Compression.NoCompression
    return OTLPSpanExporter(endpoint=endpoint + "/v1/traces", compression=kind)


def main():
    endpoint, protocol, compression, count = sys.argv[1:]
    provider = TracerProvider(resource=Resource.create({"service.name": "python"}))
    provider.add_span_processor(BatchSpanProcessor(exporter(endpoint, protocol, compression)))
    tracer = provider.get_tracer("exporters")
    for index in range(int(count) // 2):
        with tracer.start_as_current_span("parent", attributes={"index": index}) as parent:
            link = trace.Link(parent.get_span_context(), {"linked": True})
            with tracer.start_as_current_span("child", links=[link], attributes={"index": index}):
                pass
    flushed = provider.force_flush(20_000)
    provider.shutdown()
    sys.exit(0 if flushed else 1)


main()
