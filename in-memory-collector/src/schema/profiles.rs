//! `opentelemetry/proto/profiles/v1development/profiles.proto` and its service's request. In development upstream.

use super::shared::{ANY_VALUE, RESOURCE, SCOPE};
use super::{Kind, Message, many, one};

pub static EXPORT_PROFILES: Message = Message {
    name: "ExportProfilesServiceRequest",
    fields: &[
        many(1, "resourceProfiles", Kind::Message(&RESOURCE_PROFILES)),
        one(2, "dictionary", Kind::Message(&DICTIONARY)),
    ],
};

static RESOURCE_PROFILES: Message = Message {
    name: "ResourceProfiles",
    fields: &[
        one(1, "resource", Kind::Message(&RESOURCE)),
        many(2, "scopeProfiles", Kind::Message(&SCOPE_PROFILES)),
        one(3, "schemaUrl", Kind::String),
    ],
};

static SCOPE_PROFILES: Message = Message {
    name: "ScopeProfiles",
    fields: &[
        one(1, "scope", Kind::Message(&SCOPE)),
        many(2, "profiles", Kind::Message(&PROFILE)),
        one(3, "schemaUrl", Kind::String),
    ],
};

static DICTIONARY: Message = Message {
    name: "ProfilesDictionary",
    fields: &[
        many(1, "mappingTable", Kind::Message(&MAPPING)),
        many(2, "locationTable", Kind::Message(&LOCATION)),
        many(3, "functionTable", Kind::Message(&FUNCTION)),
        many(4, "linkTable", Kind::Message(&LINK)),
        many(5, "stringTable", Kind::String),
        many(6, "attributeTable", Kind::Message(&KEY_VALUE_AND_UNIT)),
        many(7, "stackTable", Kind::Message(&STACK)),
    ],
};

static PROFILE: Message = Message {
    name: "Profile",
    fields: &[
        one(1, "sampleType", Kind::Message(&VALUE_TYPE)),
        many(2, "samples", Kind::Message(&SAMPLE)),
        one(3, "timeUnixNano", Kind::Fixed64),
        one(4, "durationNano", Kind::Uint64),
        one(5, "periodType", Kind::Message(&VALUE_TYPE)),
        one(6, "period", Kind::Int64),
        one(7, "profileId", Kind::Bytes),
        one(8, "droppedAttributesCount", Kind::Uint32),
        one(9, "originalPayloadFormat", Kind::String),
        one(10, "originalPayload", Kind::Bytes),
        many(11, "attributeIndices", Kind::Int32),
    ],
};

static LINK: Message =
    Message { name: "Link", fields: &[one(1, "traceId", Kind::Id), one(2, "spanId", Kind::Id)] };

static VALUE_TYPE: Message = Message {
    name: "ValueType",
    fields: &[one(1, "typeStrindex", Kind::Int32), one(2, "unitStrindex", Kind::Int32)],
};

static SAMPLE: Message = Message {
    name: "Sample",
    fields: &[
        one(1, "stackIndex", Kind::Int32),
        many(2, "attributeIndices", Kind::Int32),
        one(3, "linkIndex", Kind::Int32),
        many(4, "values", Kind::Int64),
        many(5, "timestampsUnixNano", Kind::Fixed64),
    ],
};

static MAPPING: Message = Message {
    name: "Mapping",
    fields: &[
        one(1, "memoryStart", Kind::Uint64),
        one(2, "memoryLimit", Kind::Uint64),
        one(3, "fileOffset", Kind::Uint64),
        one(4, "filenameStrindex", Kind::Int32),
        many(5, "attributeIndices", Kind::Int32),
    ],
};

static STACK: Message = Message { name: "Stack", fields: &[many(1, "locationIndices", Kind::Int32)] };

static LOCATION: Message = Message {
    name: "Location",
    fields: &[
        one(1, "mappingIndex", Kind::Int32),
        one(2, "address", Kind::Uint64),
        many(3, "lines", Kind::Message(&LINE)),
        many(4, "attributeIndices", Kind::Int32),
    ],
};

static LINE: Message = Message {
    name: "Line",
    fields: &[
        one(1, "functionIndex", Kind::Int32),
        one(2, "line", Kind::Int64),
        one(3, "column", Kind::Int64),
    ],
};

static FUNCTION: Message = Message {
    name: "Function",
    fields: &[
        one(1, "nameStrindex", Kind::Int32),
        one(2, "systemNameStrindex", Kind::Int32),
        one(3, "filenameStrindex", Kind::Int32),
        one(4, "startLine", Kind::Int64),
    ],
};

static KEY_VALUE_AND_UNIT: Message = Message {
    name: "KeyValueAndUnit",
    fields: &[
        one(1, "keyStrindex", Kind::Int32),
        one(2, "value", Kind::Message(&ANY_VALUE)),
        one(3, "unitStrindex", Kind::Int32),
    ],
};
