//! The expected end of each case of the Python services with their published instrumentation.

use super::{Language, fails, inconclusive, passes, unproven, virtual_environment};

pub const LANGUAGE: Language = Language {
    folder: "python-services",
    variable: "UNBROKEN_PYTHON",
    packages: &["requirements.txt"],
    install: virtual_environment,
    ends: &[
        passes("python-healthy [sampled=true]"),
        passes("python-healthy [sampled=false]"),
        passes("python-no-flush [sampled=true]"),
        passes("python-no-flush [sampled=false]"),
        passes("python-held-traces [sampled=true]"),
        unproven("python-held-traces [sampled=false]", "it exports each trace by itself"),
        fails(
            "python-client-instrumentation-off",
            &["not-injected at bill, sender shop, 6 of 6"],
            "`shop` extracted the incoming context correctly",
        ),
        fails(
            "python-server-instrumentation-off",
            &["restarted at record, sender billing, 6 of 6"],
            "`billing`'s own span for what it received",
        ),
        fails(
            "python-tracing-off",
            &["passed-through at bill, sender shop, 6 of 6"],
            "`shop` exported no span for what it received",
        ),
        fails(
            "python-no-instrumentation",
            &["not-injected at bill, sender shop, 6 of 6"],
            "`shop` exported no span for what it received",
        ),
        inconclusive(
            "python-last-node-off",
            &["not-exported at bill, unknown billing, 6 of 6"],
            "any span of `billing`",
        ),
        inconclusive(
            "python-exporter-nowhere",
            &["not-exported at bill, unknown billing, 6 of 6"],
            "any span of `billing`",
        ),
        passes("python-kafka-healthy [sampled=true]"),
        passes("python-kafka-healthy [sampled=false]"),
        fails(
            "python-kafka-child-expected",
            &["restarted at publish, receiver billing, 6 of 6"],
            "instead of continuing its trace",
        ),
        fails(
            "python-kafka-producer-off",
            &["not-injected at publish, sender shop, 6 of 6"],
            "`shop` extracted the incoming context correctly",
        ),
        fails(
            "python-kafka-consumer-off",
            &["link-missing at publish, receiver billing, 6 of 6"],
            "`billing`'s own span for what it received",
        ),
        fails("python-kafka-tracing-off", &["not-injected at record, sender billing, 6 of 6"], ""),
        fails(
            "python-kafka-receive-only",
            &["restarted at reserve, sender stock, 6 of 6"],
            "`stock` extracted the incoming context correctly (span `orders receive`",
        ),
        passes("python-mail-healthy [sampled=true]"),
        passes("python-mail-healthy [sampled=false]"),
        fails(
            "python-mail-consumer-off",
            &["restarted at text, sender mailer, 6 of 6", "not-injected at confirm, sender mailer, 6 of 6"],
            "`mailer`'s own span for what it received",
        ),
        fails(
            "python-mail-tracing-off",
            &[
                "passed-through at text, sender mailer, 6 of 6",
                "passed-through at confirm, sender mailer, 6 of 6",
            ],
            "`mailer` exported no span for what it received",
        ),
        passes("python-outbox-healthy [sampled=true]"),
        passes("python-outbox-healthy [sampled=false]"),
        passes("python-rpc-healthy"),
        fails(
            "python-rpc-bare",
            &["not-injected at answer, sender billing, 4 of 4"],
            "`billing` extracted the incoming context correctly",
        ),
        passes("python-event-healthy [sampled=true]"),
        passes("python-event-healthy [sampled=false]"),
        fails(
            "python-event-restarted",
            &["restarted at publish, sender shop, 6 of 6"],
            "`shop` extracted the incoming context correctly",
        ),
        passes("python-tool-healthy"),
        fails(
            "python-tool-lost",
            &["not-injected at call, sender agent, 6 of 6"],
            "`agent` extracted the incoming context correctly",
        ),
        fails("python-tool-two-traces", &["duplicated at call, sender agent, 6 of 6"], "into its headers"),
    ],
    seen: &[
        "python-kafka-healthy [sampled=false], publish: link",
        "python-kafka-healthy [sampled=true], publish: link",
        "python-mail-healthy [sampled=true], notify: child",
        "python-outbox-healthy [sampled=false], publish: link",
        "python-outbox-healthy [sampled=true], publish: link",
    ],
};
