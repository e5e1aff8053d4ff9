//! A target that is a container image: `docker run` or `podman run`, as a command like any other.
//!
//! The container shares the network of this machine, so that it is reached at `PORT` and reaches the listener and the
//! collector of a run. That needs Linux. The engine's own program starts and stops it; `runtime/container` has no part.

use std::ffi::OsString;

/// The programs that run an image, the first that is installed.
const ENGINES: &[&str] = &["docker", "podman"];

/// Returns the command that runs an image with these variables, whose values the engine's program takes from its own
/// environment.
pub(super) fn run(image: &str, variables: &[(String, String)]) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec![engine().into()];
    words.extend(["run", "--rm", "--init", "--network", "host"].map(OsString::from));
    for (name, _) in variables {
        words.extend(["--env".into(), name.into()]);
    }
    words.push(image.into());
    words
}

fn engine() -> &'static str {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&folders).collect();
    let installed = ENGINES.iter().find(|name| folders.iter().any(|folder| folder.join(name).is_file()));
    installed.unwrap_or(&ENGINES[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_gets_the_names_of_its_variables_and_not_their_values() {
        let variables = [("PORT".to_owned(), "5000".to_owned()), ("SECRET".to_owned(), "s3".to_owned())];
        let words = run("acme/tracer:1", &variables);
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        assert!(
            words[1..].join(" ").ends_with("--network host --env PORT --env SECRET acme/tracer:1"),
            "{words:?}"
        );
        assert!(ENGINES.contains(&&*words[0]));
    }
}
