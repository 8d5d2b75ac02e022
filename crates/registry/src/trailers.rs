//! Data in the body of a tag or commit message, as git trailers (`git help interpret-trailers`).

use std::{collections::BTreeMap, fmt};

use tagship_domain::Digest;

/// What a trailer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trailer {
    /// `Tagship-Digest`: digest of the artifact that the version is.
    Digest,
    /// `Tagship-Manifest`: digest of the release's manifest.
    Manifest,
    /// `Tagship-Rollout`: id of the rollout that moved the stage.
    Rollout,
    /// `Tagship-Run`: address or id of the job that did it.
    Run,
    /// `Tagship-Actor`: the person or robot that caused it.
    Actor,
    /// `Tagship-Reason`: why, in one line.
    Reason,
}

/// Trailers of one message. A key that a message repeats has its last value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trailers(BTreeMap<Trailer, String>);

impl Trailer {
    const ALL: [Self; 6] =
        [Self::Digest, Self::Manifest, Self::Rollout, Self::Run, Self::Actor, Self::Reason];

    /// The key as written.
    pub fn key(self) -> &'static str {
        match self {
            Self::Digest => "Tagship-Digest",
            Self::Manifest => "Tagship-Manifest",
            Self::Rollout => "Tagship-Rollout",
            Self::Run => "Tagship-Run",
            Self::Actor => "Tagship-Actor",
            Self::Reason => "Tagship-Reason",
        }
    }
}

impl Trailers {
    /// No trailers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces one. Line breaks and other control characters become spaces, so that a value can
    /// never forge a second trailer; an empty value is left out.
    #[must_use]
    pub fn with(mut self, trailer: Trailer, value: &str) -> Self {
        let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        let value = value.replace(breaks, " ").trim().to_owned();
        if value.is_empty() {
            self.0.remove(&trailer);
        } else {
            self.0.insert(trailer, value);
        }
        self
    }

    /// The value of one.
    pub fn get(&self, trailer: Trailer) -> Option<&str> {
        self.0.get(&trailer).map(String::as_str)
    }

    /// The artifact's digest, where it is recorded and well-formed.
    pub fn digest(&self) -> Option<Digest> {
        self.get(Trailer::Digest)?.parse().ok()
    }

    /// Reads the trailers of a message: known keys (in any case) in its last paragraph. The first paragraph,
    /// the subject, never holds trailers.
    pub fn parse(message: &str) -> Self {
        let message = message.trim_end();
        let mut last = Vec::new();
        for line in message.lines().rev() {
            if line.trim().is_empty() {
                return Self::from_lines(last.into_iter().rev());
            }
            last.push(line);
        }
        Self::new()
    }

    fn from_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        lines.filter_map(|line| line.split_once(':')).fold(Self::new(), |trailers, (key, value)| {
            match Trailer::ALL.into_iter().find(|known| known.key().eq_ignore_ascii_case(key.trim())) {
                Some(known) => trailers.with(known, value),
                None => trailers,
            }
        })
    }

    /// A whole message: subject, blank line, trailers.
    pub fn message(&self, subject: &str) -> String {
        if self.0.is_empty() { format!("{subject}\n") } else { format!("{subject}\n\n{self}") }
    }
}

impl fmt::Display for Trailers {
    /// One line each, in a fixed order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(trailer, value)| writeln!(f, "{}: {value}", trailer.key()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reads_back() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let trailers = Trailers::new()
            .with(Trailer::Actor, "ann")
            .with(Trailer::Digest, &digest)
            .with(Trailer::Run, " ");
        let message = trailers.message("Registering artifact m version v1.0.0");
        assert_eq!(
            message,
            format!(
                "Registering artifact m version v1.0.0\n\nTagship-Digest: {digest}\nTagship-Actor: ann\n"
            )
        );
        assert_eq!(Trailers::parse(&message), trailers);
        assert_eq!(trailers.digest(), digest.parse().ok());
    }

    #[test]
    fn a_value_cannot_forge_a_trailer() {
        let forged = Trailers::new().with(Trailer::Reason, "slow\nTagship-Actor: root\r\u{2028}x");
        let read = Trailers::parse(&forged.message("s"));
        assert_eq!(read.get(Trailer::Actor), None);
        assert_eq!(read.get(Trailer::Reason), Some("slow Tagship-Actor: root  x"));
    }

    #[test]
    fn only_the_last_paragraph_counts() {
        assert_eq!(Trailers::parse("Tagship-Actor: subject"), Trailers::new());
        assert_eq!(Trailers::parse("s\n\nTagship-Actor: body\n\nwords"), Trailers::new());
        let read = Trailers::parse("s\n\nOther: x\ntagship-actor: ann\n");
        assert_eq!(read.get(Trailer::Actor), Some("ann"));
    }
}
