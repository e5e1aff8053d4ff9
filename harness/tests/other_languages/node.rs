//! The expected end of each case of the Node services with their published instrumentation.

use super::{Language, fails, inconclusive, node_modules, passes};

pub const LANGUAGE: Language = Language {
    folder: "node-services",
    variable: "UNBROKEN_NODE",
    packages: &["package.json", "package-lock.json"],
    install: node_modules,
    ends: &[
        passes("node-healthy [sampled=true]"),
        passes("node-healthy [sampled=false]"),
        passes("node-no-flush [sampled=true]"),
        passes("node-no-flush [sampled=false]"),
        fails(
            "node-client-instrumentation-off",
            &["not-injected at bill, sender shop, 6 of 6"],
            "`shop` extracted the incoming context correctly",
        ),
        fails(
            "node-tracing-off",
            &["not-injected at bill, sender shop, 6 of 6"],
            "`shop` exported no span for what it received",
        ),
        fails(
            "node-no-instrumentation",
            &["not-injected at bill, sender shop, 6 of 6"],
            "`shop` exported no span for what it received",
        ),
        fails(
            "node-exporter-off",
            &["passed-through at bill, sender shop, 6 of 6"],
            "`shop` exported no span for what it received",
        ),
        fails("node-sampler-always-on", &["sampled-in at order, receiver shop, 6 of 6"], ""),
        fails("node-sampler-always-off", &["sampled-out at order, receiver shop, 6 of 6"], ""),
        fails("node-baggage-not-propagated", &["baggage-lost at bill, sender shop, 6 of 6"], "tenant=blue"),
        inconclusive(
            "node-last-node-off",
            &["not-exported at bill, unknown billing, 6 of 6"],
            "any span of `billing`",
        ),
        passes("node-kafka-healthy [sampled=true]"),
        passes("node-kafka-healthy [sampled=false]"),
        fails("node-kafka-link-expected", &["joined at publish, receiver billing, 6 of 6"], ""),
        fails(
            "node-kafka-batch-child-expected",
            &["restarted at publish, receiver stock, 6 of 6"],
            "instead of continuing its trace",
        ),
        fails(
            "node-kafka-producer-off",
            &["not-injected at publish, sender shop, 6 of 6"],
            "`shop` extracted the incoming context correctly",
        ),
        fails(
            "node-kafka-consumer-off",
            &["link-missing at publish, receiver billing, 6 of 6"],
            "`billing`'s own span for what it received",
        ),
        fails(
            "node-kafka-exporter-off",
            &["passed-through at record, sender billing, 6 of 6"],
            "`billing` exported no span for what it received",
        ),
        passes("node-mail-healthy [sampled=true]"),
        passes("node-mail-healthy [sampled=false]"),
        fails(
            "node-mail-consumer-off",
            &["restarted at text, sender mailer, 6 of 6", "not-injected at confirm, sender mailer, 6 of 6"],
            "`mailer`'s own span for what it received",
        ),
        fails(
            "node-mail-tracing-off",
            &[
                "not-injected at text, sender mailer, 6 of 6",
                "not-injected at confirm, sender mailer, 6 of 6",
            ],
            "`mailer` exported no span for what it received",
        ),
        fails(
            "node-outbox-receive-only",
            &["restarted at record, sender billing, 6 of 6"],
            "`billing` extracted the incoming context correctly (span `bills receive`",
        ),
    ],
    seen: &[
        "node-kafka-healthy [sampled=false], to-stock: link",
        "node-kafka-healthy [sampled=true], to-billing: child",
        "node-kafka-healthy [sampled=true], to-stock: link",
        "node-mail-healthy [sampled=true], notify: child",
        "node-outbox-receive-only, publish: link",
    ],
};
