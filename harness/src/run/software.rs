//! The software of a case, for its report: versions of gateways, tags of images, hashes of configurations.
//!
//! A relay, a stub and a stand-in are of the version of unbroken, which the report has; the version of a program of the
//! user's own is not known.

use crate::plan::Plan;
use crate::rules::fingerprint::hashed;
use crate::runtime::{RuntimeOptions, gateway};
use crate::scenario::{CollectorProcess, Node, NodeIx, NodeKind, Template, TemplatePart};
use crate::verdict::NodeSoftware;

/// Returns the software of each node of which a version or a configuration is known.
pub(super) async fn of_case(plan: &Plan, options: &RuntimeOptions) -> Vec<NodeSoftware> {
    let mut software = Vec::new();
    for (ix, node) in plan.scenario.nodes.iter().enumerate() {
        let found = match &node.kind {
            NodeKind::Command(command) => match command.gateway {
                Some(_) => gateway(NodeIx(ix), plan).await,
                None if command.files.is_empty() => None,
                None => {
                    let program = command.argv.first().map(words).unwrap_or_default();
                    let mut parts: Vec<String> = command.argv.iter().map(words).collect();
                    let files = command.files.iter().map(|file| plan.folder.join(&file.from));
                    parts.extend(files.filter_map(|path| std::fs::read_to_string(path).ok()));
                    let configuration = Some(hashed(parts.iter().map(String::as_str)));
                    Some(NodeSoftware { node: node.name.clone(), program, version: None, configuration })
                }
            },
            NodeKind::Collector(collector) => Some(self::collector(node, collector, plan)),
            NodeKind::Image(image) => Some(tagged(node, &words(&image.name))),
            NodeKind::Broker(_) => broker_image(node, options).await.map(|image| tagged(node, &image)),
            NodeKind::Client
            | NodeKind::Relay(_)
            | NodeKind::Url(_)
            | NodeKind::Stub(_)
            | NodeKind::InProcess => None,
        };
        software.extend(found);
    }
    software
}

/// Returns a collector by its configuration.
fn collector(node: &Node, collector: &CollectorProcess, plan: &Plan) -> NodeSoftware {
    let files = collector.command.files.iter().map(|file| plan.folder.join(&file.from));
    let texts: Vec<String> = files.filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    let named = collector.command.argv.first().map(words);
    NodeSoftware {
        node: node.name.clone(),
        program: named.unwrap_or_else(|| "OpenTelemetry Collector".to_owned()),
        version: None,
        configuration: Some(hashed(texts.iter().map(String::as_str))),
    }
}

async fn gateway(ix: NodeIx, plan: &Plan) -> Option<NodeSoftware> {
    let node = plan.scenario.node(ix);
    let NodeKind::Command(command) = &node.kind else { return None };
    let product = command.gateway?;
    let own =
        command.files.first().and_then(|file| std::fs::read_to_string(plan.folder.join(&file.from)).ok());
    let named = command.argv.first().map(words);
    let start = gateway::prepare(ix, product, named, own, plan).ok()?;
    let files = start.files.iter().map(|(_, text)| text.as_str());
    let configuration = hashed(start.arguments.iter().map(String::as_str).chain(files));
    Some(NodeSoftware {
        node: node.name.clone(),
        program: product.word().to_owned(),
        version: gateway::version(product, &start.program).await,
        configuration: Some(configuration),
    })
}

/// Returns an image and its tag, or its digest.
fn tagged(node: &Node, image: &str) -> NodeSoftware {
    let tag_at = match image.rfind('@') {
        Some(digest) => Some(digest),
        // A colon before a slash is that of the port of a registry.
        None => image.rfind(':').filter(|colon| !image[*colon..].contains('/')),
    };
    let (program, version) = match tag_at {
        Some(at) => (&image[..at], Some(image[at + 1..].to_owned())),
        None => (image, None),
    };
    NodeSoftware { node: node.name.clone(), program: program.to_owned(), version, configuration: None }
}

#[cfg(feature = "container")]
async fn broker_image(node: &Node, options: &RuntimeOptions) -> Option<String> {
    let NodeKind::Broker(broker) = &node.kind else { return None };
    if options.kind != crate::runtime::RuntimeKind::Container || broker.address.is_some() {
        return None;
    }
    match &broker.image {
        Some(own) => Some(words(own)),
        None => options.containers.broker_image(broker.kind).await,
    }
}

#[cfg(not(feature = "container"))]
async fn broker_image(_: &Node, _: &RuntimeOptions) -> Option<String> {
    None
}

/// Returns a template as text; what only a run fills stays out.
fn words(template: &Template) -> String {
    let mut text = String::new();
    for part in &template.parts {
        match part {
            TemplatePart::Text(own) => text.push_str(own),
            TemplatePart::Env(name) => text.push_str(&std::env::var(name).unwrap_or_default()),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;
    use crate::source::Source;

    #[test]
    fn an_image_has_its_tag_or_digest_as_its_version() {
        let text = "scenario: a\nnodes:\n  a: { relay: model }\nhops:\n  h: { http: { from: client, to: a, path: /a } }\n\
                    drive: [{ send: h }]\n";
        let parsed = scenario::parse(&Source::new("a.yaml", text)).expect("the scenario is right");
        let node = &parsed[0].nodes[1];
        for (image, program, version) in [
            ("shop:1.2", "shop", Some("1.2")),
            ("registry:5000/shop", "registry:5000/shop", None),
            ("registry:5000/shop:1", "registry:5000/shop", Some("1")),
            ("shop@sha256:ab", "shop", Some("sha256:ab")),
        ] {
            let software = tagged(node, image);
            assert_eq!((software.program.as_str(), software.version.as_deref()), (program, version));
        }
    }
}
