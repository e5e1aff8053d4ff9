//! Published ports, for engines whose containers have no addresses that this machine reaches, as on a desktop.

use std::collections::BTreeSet;

use unbroken::runtime::container::ImagePurpose;

use super::engine;
use super::shop::{self, SHOP};
use super::{Folder, INCONCLUSIVE, PASS, printed, root, unbroken};

const PORTS: &str = "UNBROKEN_CONTAINER_PORTS";

#[test]
fn scenarios_pass_through_published_ports_too() {
    if !engine::has(&ImagePurpose::ALL) {
        return;
    }
    let folder = Folder::new("published");
    let mut command = unbroken(&folder.0);
    command.arg("run").env(PORTS, "published");
    for name in ["01-one-request", "16-order-is-billed", "17-retry-and-dead-letter", "18-batch-with-links"] {
        command.arg(root().join(format!("scenarios/{name}.yaml")));
    }
    // One relay of each kind is enough of the matrix.
    command.args(["--runtime", "container", "--filter", "[relay=model]"]);
    command.args(["--filter", "[shop.relay=rust,ledger.relay=model]"]);
    command.args(["--filter", "[shop.relay=model,billing.relay=rust]"]);
    let child = command.spawn().unwrap();
    let process = child.id();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(PASS), "{}", printed(&output));
    assert!(printed(&output).contains("4 cases: 4 pass"), "{}", printed(&output));
    assert_eq!(engine::left(process, &BTreeSet::new()), Vec::<String>::new());
}

/// An engine accepts connections to a published port before a service listens behind it.
#[test]
fn a_slow_service_is_waited_for_behind_its_published_port() {
    if !shop::is_here(&[]) {
        return;
    }
    let folder = Folder::new("published-late");
    let args = r#"args: [sh, -c, "sleep 2; exec python3 /app/shop.py"]"#;
    let scenario = |keys: &str| {
        format!(
            "scenario: late\nnodes:\n  shop: {{ image: {SHOP}, port: 8080, {keys}, marker: {{ path: true }} }}\n\
             hops:\n  order: {{ http: {{ from: client, to: shop, method: POST, path: '/orders/{{order}}' }} }}\n\
             drive:\n  - {{ send: order }}\n"
        )
    };
    let run = |keys: &str| {
        folder.write("late.yaml", &scenario(keys));
        unbroken(&folder.0).args(["run", "late.yaml"]).env(PORTS, "published").output().unwrap()
    };
    let output = run(args);
    assert_eq!(output.status.code(), Some(PASS), "{}", printed(&output));
    let output = run(r#"args: [sh, -c, "exec sleep 600"], ready-within: 2s"#);
    assert_eq!(output.status.code(), Some(INCONCLUSIVE), "{}", printed(&output));
    let text = printed(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("was closed at once: no program listens there"), "{text}");
}

#[test]
fn a_service_in_a_container_cannot_reach_a_process_without_a_tap() {
    if !shop::is_here(&[]) {
        return;
    }
    let folder = Folder::new("out-of-reach");
    let scenario = format!(
        "scenario: reach\nnodes:\n  shop: {{ image: {SHOP}, port: 8080, env: {{ BILLING_URL: '${{billing.url}}' }} }}\n  \
         billing: {{ relay: model }}\nhops:\n  order: {{ http: {{ from: client, to: shop }} }}\n  \
         bill: {{ http: {{ from: shop, to: billing }}, tap: none }}\ndrive:\n  - {{ send: order }}\n"
    );
    folder.write("reach.yaml", &scenario);
    // The address is in an instruction instead of a variable.
    let relays = scenario.replace(
        &format!("image: {SHOP}, port: 8080, env: {{ BILLING_URL: '${{billing.url}}' }}"),
        "relay: model",
    );
    folder.write(
        "relays.yaml",
        &relays.replace("billing: { relay: model }", "billing: { url: 'http://127.0.0.1:9' }"),
    );
    for (file, ports) in [("reach.yaml", "own"), ("reach.yaml", "published"), ("relays.yaml", "own")] {
        let mut command = unbroken(&folder.0);
        let runtime = if file == "reach.yaml" { "embedded" } else { "container" };
        let output = command.args(["run", file, "--runtime", runtime]).env(PORTS, ports).output().unwrap();
        let text = printed(&output).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(INCONCLUSIVE), "{text}");
        for part in ["node `shop` runs in a container", "cannot reach `billing`", "omit `tap: none`"] {
            assert!(text.contains(part), "`{part}` in {text}");
        }
    }
}
