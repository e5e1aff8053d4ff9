// Exports spans with the OpenTelemetry SDK for Node: export.js ENDPOINT PROTOCOL COMPRESSION COUNT.
const { context, trace } = require("@opentelemetry/api");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { TracerProvider, BatchSpanProcessor } = require("@opentelemetry/sdk-trace");

const [endpoint, protocol, compression, count] = process.argv.slice(2);

function exporter() {
  if (protocol === "grpc") {
    const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-grpc");
    return new OTLPTraceExporter({ url: endpoint, compression });
  }
  const flavour = protocol === "http/json" ? "http" : "proto";
  const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${flavour}`);
  return new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, compression });
}

async function main() {
  const processor = new BatchSpanProcessor({ exporter: exporter() });
  const resource = resourceFromAttributes({ "service.name": "node" });
  const provider = new TracerProvider({ resource, spanProcessors: [processor] });
  const tracer = provider.getTracer("exporters");
  for (let index = 0; index < Number(count) / 2; index++) {
    const parent = tracer.startSpan("parent", { attributes: { index } });
    const inside = trace.setSpan(context.active(), parent);
    const links = [{ context: parent.spanContext(), attributes: { linked: true } }];
    tracer.startSpan("child", { links, attributes: { index } }, inside).end();
    parent.end();
  }
  await provider.forceFlush();
  await provider.shutdown();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
