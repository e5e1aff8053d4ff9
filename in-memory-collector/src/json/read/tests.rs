//! Every field of every message, one at a time, against opentelemetry-proto's serde types: a name, number or type that
//! is wrong in the schema would be taken for an unknown field and lost in silence.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::profiles::v1development::ExportProfilesServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde_json::{from_slice, to_vec};

use super::*;
use crate::schema::{EXPORT_LOGS, EXPORT_METRICS, EXPORT_PROFILES, EXPORT_TRACES};

/// Enough for a value in a list of an attribute of an exemplar.
const DEPTH: u32 = 11;

/// The field that their types neither read nor write.
const THEY_LACK: &str = "stringValueStrindex";

/// The errors of their encoding of bytes in profiles, which are in development, and the right form of OTLP/JSON: ids
/// of traces and spans are hexadecimal, all other bytes base64.
const THEIR_SLIPS: [(&str, &str); 5] = [
    (r#""originalPayload":[]"#, r#""originalPayload":"""#),
    (r#""originalPayload":[0,1]"#, r#""originalPayload":"AAE=""#),
    (r#""profileId":"0001""#, r#""profileId":"AAE=""#),
    (r#"Id":[]"#, r#"Id":"""#),
    (r#"Id":[10,11]"#, r#"Id":"0a0b""#),
];

/// Objects with one field set, for each field there is in the message and below it.
fn documents(message: &Message, depth: u32) -> Vec<String> {
    // Their types want the key of an attribute and the list of a value that is one.
    let rest = if message.name == "KeyValue" { r#","key":"k""# } else { "" };
    let mut documents = vec!["{}".to_owned()];
    documents.retain(|_| !matches!(message.name, "KeyValue" | "ArrayValue" | "KeyValueList"));
    if depth == 0 {
        return documents;
    }
    let fields = message.fields.iter();
    for field in fields.filter(|field| rest.is_empty() || field.json.text != "key") {
        let values = match field.kind {
            Kind::Message(inner) => self::documents(inner, depth - 1),
            Kind::String => vec![r#""text""#.to_owned()],
            Kind::Bytes => vec![r#""AAE=""#.to_owned()],
            Kind::Id => vec![r#""0a0b""#.to_owned()],
            Kind::Bool => vec!["true".to_owned()],
            Kind::Double => vec!["1.5".to_owned()],
            Kind::Int64 | Kind::Uint64 | Kind::Fixed64 | Kind::Sfixed64 => vec![r#""7""#.to_owned()],
            Kind::Int32 | Kind::Enum | Kind::Sint32 | Kind::Uint32 | Kind::Fixed32 => vec!["7".to_owned()],
        };
        let name = field.json.text;
        documents.extend(values.iter().map(|value| match field.repeated {
            true => format!(r#"{{"{name}":[{value}]{rest}}}"#),
            false => format!(r#"{{"{name}":{value}{rest}}}"#),
        }));
    }
    documents
}

type Reads<T> = fn(&[u8]) -> serde_json::Result<T>;
type Writes<T> = fn(&T) -> serde_json::Result<Vec<u8>>;

/// Fails unless both readers agree, and their output means the same to us.
fn check<T>(message: &'static Message, they_read: Reads<T>, they_write: Writes<T>)
where
    T: prost::Message + Default + PartialEq,
{
    let documents = documents(message, DEPTH);
    assert!(documents.len() > 200);
    let mut read_alike = 0;
    for document in &documents {
        if document.contains(THEY_LACK) {
            continue;
        }
        let ours = T::decode(&read(message, document.as_bytes()).unwrap()[..]).unwrap();
        // They want some fields to be there and take no text for some integers; then only the way back is asked.
        if let Ok(theirs) = they_read(document.as_bytes()) {
            assert!(ours == theirs, "{document}");
            read_alike += 1;
        }
        let mut written = String::from_utf8(they_write(&ours).unwrap()).unwrap();
        for (slip, right) in THEIR_SLIPS {
            written = written.replace(slip, right);
        }
        let again = T::decode(&read(message, written.as_bytes()).unwrap()[..]).unwrap();
        assert!(ours == again, "{document} became {written}");
    }
    println!("{}: {read_alike} of {} read alike, all written alike", message.name, documents.len());
}

#[test]
fn every_field_is_read_as_opentelemetry_proto_reads_it() {
    check::<ExportTraceServiceRequest>(&EXPORT_TRACES, |text| from_slice(text), to_vec);
    check::<ExportLogsServiceRequest>(&EXPORT_LOGS, |text| from_slice(text), to_vec);
    check::<ExportMetricsServiceRequest>(&EXPORT_METRICS, |text| from_slice(text), to_vec);
    check::<ExportProfilesServiceRequest>(&EXPORT_PROFILES, |text| from_slice(text), to_vec);
}
