//! Reads traceparent.

use super::{Defect, Propagation};

impl Propagation {
    /// Version, trace id, parent id and flags of a field that is valid, or that the defect takes for valid.
    pub(super) fn traceparent(&self, line: &[u8]) -> Option<(String, String, String, u8)> {
        let mut text = String::from_utf8_lossy(line).into_owned();
        if self.has(Defect::AnySeparator) {
            text = text.replace(['_', ':', ' '], "-").replace("--", "-");
        }
        let mut parts = text.splitn(4, '-').map(str::to_owned).collect::<Vec<_>>();
        if parts.len() < 4 {
            return None;
        }
        let flags_end = parts[3].floor_char_boundary(2);
        let behind = parts[3].split_off(flags_end);
        if self.has(Defect::TakesSigns) {
            parts.iter_mut().for_each(|part| *part = part.replacen('+', "0", 1));
        }
        let [mut version, mut trace_id, parent_id, mut flags] = <[String; 4]>::try_from(parts).ok()?;
        let hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        if self.has(Defect::AnyVersion) && !hex(&version, 2) {
            version = "00".to_owned();
        }
        if !hex(&version, 2) || version == "ff" && !self.has(Defect::VersionFf) {
            return None;
        }
        let higher = version != "00" && version != "ff";
        if self.has(Defect::PadsTraceId) && trace_id.len() < 32 {
            trace_id = format!("{trace_id:0>32}");
        }
        if self.has(Defect::ShortHigherVersion) && higher && flags.len() == 1 {
            flags = format!("0{flags}");
        }
        if self.has(Defect::AnyFlags) && !hex(&flags, 2) {
            flags = "01".to_owned();
        }
        let lower = match self.has(Defect::UpperCaseParentId) {
            true => parent_id.to_lowercase(),
            false => parent_id,
        };
        let placed = hex(&trace_id, 32) && hex(&lower, 16) && hex(&flags, 2);
        let loose = self.has(Defect::HigherVersionByDashes) && higher && trace_id.len() + lower.len() == 48;
        if !placed && !loose {
            return None;
        }
        if loose && !placed {
            trace_id = format!("{trace_id:0<32.32}").replace(|c: char| !c.is_ascii_hexdigit(), "0");
            flags = "01".to_owned();
        }
        if !self.is_allowed(&trace_id, &lower, higher) {
            return None;
        }
        let tail_fits = behind.is_empty()
            || higher && behind.starts_with('-')
            || higher && self.has(Defect::AnythingBehindHigherVersion)
            || self.has(Defect::AnythingBehind);
        let flags = u8::from_str_radix(&flags, 16).ok()?;
        tail_fits.then_some((version, trace_id, lower, flags))
    }

    /// Zero ids are not, and those that a defect refuses.
    fn is_allowed(&self, trace_id: &str, parent_id: &str, higher: bool) -> bool {
        let zero = |text: &str| text.bytes().all(|b| b == b'0');
        let is_zero = zero(trace_id) || zero(parent_id);
        !(is_zero && !(higher && self.has(Defect::ZeroIdsOfHigherVersion))
            || self.has(Defect::RefusesDigits) && trace_id.bytes().all(|b| b.is_ascii_digit())
            || self.has(Defect::RefusesHigherVersions) && higher)
    }
}
