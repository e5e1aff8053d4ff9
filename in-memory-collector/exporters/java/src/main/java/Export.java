import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.concurrent.TimeUnit;

/** Exports spans with the OpenTelemetry SDK for Java: Export ENDPOINT PROTOCOL COMPRESSION COUNT. */
public final class Export {
  private static SpanExporter exporter(String endpoint, String protocol, String compression) {
    if (protocol.equals("grpc")) {
      return OtlpGrpcSpanExporter.builder().setEndpoint(endpoint).setCompression(compression).build();
    }
    return OtlpHttpSpanExporter.builder()
        .setEndpoint(endpoint + "/v1/traces")
        .setCompression(compression)
        .build();
  }

  public static void main(String[] arguments) {
    SpanExporter exporter = exporter(arguments[0], arguments[1], arguments[2]);
    SdkTracerProvider provider =
        SdkTracerProvider.builder()
            .setResource(
                Resource.create(Attributes.of(AttributeKey.stringKey("service.name"), "java")))
            .addSpanProcessor(BatchSpanProcessor.builder(exporter).build())
            .build();
    Tracer tracer = provider.get("exporters");
    Attributes linked = Attributes.of(AttributeKey.booleanKey("linked"), true);
    for (int index = 0; index < Integer.parseInt(arguments[3]) / 2; index++) {
      Span parent = tracer.spanBuilder("parent").setAttribute("index", index).startSpan();
      tracer
          .spanBuilder("child")
          .setParent(Context.root().with(parent))
          .addLink(parent.getSpanContext(), linked)
          .setAttribute("index", index)
          .startSpan()
          .end();
      parent.end();
    }
    boolean flushed = provider.forceFlush().join(20, TimeUnit.SECONDS).isSuccess();
    provider.shutdown().join(20, TimeUnit.SECONDS);
    System.exit(flushed ? 0 : 1);
  }
}
