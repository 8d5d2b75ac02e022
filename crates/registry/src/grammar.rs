//! The grammar of registry tags: `churn@v1.4.0`, `churn#production#7`, `churn@deprecated`, each with an optional
//! `!` (undo) and an optional `#counter`.
//!
//! Source: GTO 1.10.1, `gto/constants.py`. One difference: only ASCII digits count as digits. Names are kept as
//! text here, because GTO reads names that Tagship would not write (`m/=n#p`).

use std::fmt;

use tagship_domain::Version;

/// What one tag says about one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagEvent {
    /// The model in its name form, with `:` where the tag has `=`.
    pub model: String,
    /// What happened to it.
    pub action: Action,
    /// The number after the last `#`; one sequence for all tags of a model.
    pub counter: Option<u64>,
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Action {
    /// `m@v1.0.0`: the commit holds this version.
    Register(Version),
    /// `m@v1.0.0!`: the version is withdrawn.
    Deregister(Version),
    /// `m#prod`: the version at the commit takes the stage.
    Assign(String),
    /// `m#prod!`: the version at the commit leaves the stage.
    Unassign(String),
    /// `m@deprecated`: the model is retired until its next event.
    Deprecate,
    /// `m@created`: in the grammar, but never written by GTO.
    Create,
}

/// Why a tag name is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TagNameError {
    /// Not of the grammar: somebody else's tag, e.g. `v1.0.0`.
    #[error("the tag name is not of the registry's grammar")]
    Foreign,
    /// Of the grammar, but a number does not fit 64 bits.
    #[error("a number in the tag name does not fit 64 bits")]
    TooLarge,
}

impl TagEvent {
    /// Reads a tag name (without `refs/tags/`).
    ///
    /// # Errors
    /// [`TagNameError::Foreign`] when it is not of the grammar, [`TagNameError::TooLarge`] when a number in it
    /// does not fit.
    pub fn parse(tag: &str) -> Result<Self, TagNameError> {
        let mark = tag.find(['#', '@']).ok_or(TagNameError::Foreign)?;
        let (model, rest) = (&tag[..mark], &tag[mark + 1..]);
        if !is_model(model) {
            return Err(TagNameError::Foreign);
        }
        let (body, counter) = match rest.split_once('#') {
            Some((body, digits)) => (body, Some(digits)),
            None => (rest, None),
        };
        let action = if tag.as_bytes()[mark] == b'#' { stage_action(body) } else { version_action(body) };
        let counter = counter.map(parse_counter).transpose();
        if matches!(action, Err(TagNameError::Foreign)) || matches!(counter, Err(TagNameError::Foreign)) {
            return Err(TagNameError::Foreign);
        }
        Ok(Self { model: model.replacen('=', ":", 1), action: action?, counter: counter? })
    }
}

impl fmt::Display for TagEvent {
    /// The tag name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = self.model.replacen(':', "=", 1);
        match &self.action {
            Action::Register(version) => write!(f, "{model}@{version}")?,
            Action::Deregister(version) => write!(f, "{model}@{version}!")?,
            Action::Assign(stage) => write!(f, "{model}#{stage}")?,
            Action::Unassign(stage) => write!(f, "{model}#{stage}!")?,
            Action::Deprecate => write!(f, "{model}@deprecated")?,
            Action::Create => write!(f, "{model}@created")?,
        }
        self.counter.map_or(Ok(()), |counter| write!(f, "#{counter}"))
    }
}

impl Action {
    /// GTO's word for the event, as in `gto history`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Register(_) => "registration",
            Self::Deregister(_) => "deregistration",
            Self::Assign(_) => "assignment",
            Self::Unassign(_) => "unassignment",
            Self::Deprecate => "deprecation",
            Self::Create => "creation",
        }
    }

    /// GTO's rank of the event among events of one second.
    pub fn priority(&self) -> u8 {
        match self {
            Self::Create => 1,
            Self::Deprecate => 2,
            Self::Register(_) => 3,
            Self::Deregister(_) => 4,
            Self::Assign(_) => 5,
            Self::Unassign(_) => 6,
        }
    }

    /// Whether the event adds something (false for the three that take away).
    pub fn is_addition(&self) -> bool {
        matches!(self, Self::Create | Self::Register(_) | Self::Assign(_))
    }

    /// The stage that is assigned or unassigned.
    pub fn stage(&self) -> Option<&str> {
        match self {
            Self::Assign(stage) | Self::Unassign(stage) => Some(stage),
            _ => None,
        }
    }
}

fn is_model(text: &str) -> bool {
    match text.split_once('=') {
        None => is_name(text),
        Some((directory, name)) => {
            let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
            !directory.is_empty() && directory.bytes().all(legal) && is_name(name)
        }
    }
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    end(bytes.first())
        && end(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_/".contains(b))
}

fn stage_action(body: &str) -> Result<Action, TagNameError> {
    match body.strip_suffix('!') {
        Some(stage) if is_name(stage) => Ok(Action::Unassign(stage.to_owned())),
        None if is_name(body) => Ok(Action::Assign(body.to_owned())),
        _ => Err(TagNameError::Foreign),
    }
}

fn version_action(body: &str) -> Result<Action, TagNameError> {
    match body {
        "deprecated" => Ok(Action::Deprecate),
        "created" => Ok(Action::Create),
        _ => match body.strip_suffix('!') {
            Some(version) => parse_version(version).map(Action::Deregister),
            None => parse_version(body).map(Action::Register),
        },
    }
}

fn parse_version(text: &str) -> Result<Version, TagNameError> {
    text.parse().map_err(|_wrong| {
        if shorten_core(text).parse::<Version>().is_ok() {
            TagNameError::TooLarge
        } else {
            TagNameError::Foreign
        }
    })
}

/// The version with each of its three numbers cut to a length that always fits: if that is a version and the
/// whole was not, only the size of a number was wrong.
fn shorten_core(text: &str) -> String {
    let core_end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at(core_end);
    let cut = |number: &str| number.get(..18).unwrap_or(number).to_owned();
    core.split('.')
        .map(
            |number| {
                if number.bytes().skip(1).all(|b| b.is_ascii_digit()) {
                    cut(number)
                } else {
                    number.to_owned()
                }
            },
        )
        .collect::<Vec<_>>()
        .join(".")
        + rest
}

fn parse_counter(digits: &str) -> Result<u64, TagNameError> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(TagNameError::Foreign);
    }
    digits.parse().map_err(|_overflow| TagNameError::TooLarge)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Measured on GTO 1.10.1.
    const ACCEPTED: [&str; 24] = [
        "m@v1.0.0",
        "m@v1.0.0!",
        "m@v1.0.0!#3",
        "m@v1.0.0#2",
        "m#prod",
        "m#prod#1",
        "m#prod!",
        "m#prod!#2",
        "m@deprecated",
        "m@deprecated#4",
        "m@created",
        "a/b=m@v1.0.0-rc.1+b5#7",
        "a.b=m#x",
        "m#a/b#3",
        "M_1-x/y#d-v_1#0",
        "m#prod#01",
        "m@v1.0.0-rc.1",
        "m#1",
        "m#1#2",
        "./m=n#p",
        "../x=n@v1.0.0",
        "m@v1.0.0-0a",
        "m@v1.0.0+01",
        "m/=n#p",
    ];
    const REFUSED: [&str; 24] = [
        "m@1.0.0",
        "m@v1.0",
        "a.b#x",
        "m#p.q",
        "m@V1.0.0",
        "m@v01.0.0",
        "x=y=z@v1.0.0",
        "m#-p",
        "-m#p",
        "m-#p",
        "m##1",
        "v1.0.0",
        "release-1",
        "m@latest",
        "m@v1.0.0#",
        "m#prod!#",
        "é#p",
        "=m#p",
        "m@v1.0.0-01",
        "m@deprecated!",
        "m@created!",
        "m#prod#1#2",
        "m#v1.0.0",
        "m@v1.0.0!!",
    ];

    #[test]
    fn the_corpus_of_gto_is_judged_alike() {
        for tag in ACCEPTED {
            assert!(TagEvent::parse(tag).is_ok(), "{tag} must be accepted");
        }
        for tag in REFUSED.into_iter().chain(["m@v1٠.0.0", "m#p#٣", "", "#", "@", "m#", "m@", "m@!"]) {
            assert_eq!(TagEvent::parse(tag), Err(TagNameError::Foreign), "{tag} must be refused");
        }
    }

    #[test]
    fn parts_are_told_apart() {
        let event = TagEvent::parse("a/b=m@v1.0.0-rc.1+b5!#7").unwrap();
        assert_eq!(event.model, "a/b:m");
        assert_eq!(event.action, Action::Deregister("v1.0.0-rc.1+b5".parse().unwrap()));
        assert_eq!(event.counter, Some(7));
        let event = TagEvent::parse("m#1#02").unwrap();
        assert_eq!((event.action, event.counter), (Action::Assign("1".to_owned()), Some(2)));
    }

    #[test]
    fn numbers_beyond_64_bits_are_named_as_such() {
        for tag in
            ["m#p#18446744073709551616", "m@v99999999999999999999.0.0", "m@v1.0.99999999999999999999-rc.1!#2"]
        {
            assert_eq!(TagEvent::parse(tag), Err(TagNameError::TooLarge), "{tag}");
        }
        assert_eq!(TagEvent::parse("m#p.q#18446744073709551616"), Err(TagNameError::Foreign));
        assert!(TagEvent::parse("m#p#18446744073709551615").is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn formatting_is_the_inverse_of_parsing(tag in "[a-c]{1,2}(=[a-b]/[a-b])?[#@](v[0-9]\\.[0-9]\\.[0-9](-rc\\.[1-9])?|[a-z]{1,4}|deprecated)!?(#[1-9][0-9]?)?") {
            if let Ok(event) = TagEvent::parse(&tag) {
                prop_assert_eq!(event.to_string(), tag);
            }
        }

        #[test]
        fn no_text_makes_the_parser_fail_badly(tag in "\\PC{0,40}") {
            let _ = TagEvent::parse(&tag);
        }
    }
}
