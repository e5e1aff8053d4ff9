//! The software of a case: which program a node ran, in which version and with which configuration.
//!
//! It changes no verdict. Two runs that differ in it are compared with that in mind.

/// The program of a node, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSoftware {
    pub node: String,
    /// A product such as `nginx`, or the name of an image without its tag.
    pub program: String,
    /// As the program prints it, or the tag of the image; `None` where it prints none.
    pub version: Option<String>,
    /// A hash of its arguments and configuration files before their templates are filled.
    pub configuration: Option<String>,
}
