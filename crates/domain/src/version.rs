//! Versions of a model: `vMAJOR.MINOR.PATCH`, Semantic Versioning 2.0.0 with a lower-case `v` in front.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a version; write it like v1.4.0")]
pub struct VersionError {
    text: String,
}

/// A model version. Ordered by SemVer precedence, then by build metadata so that the order is total.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(semver::Version);

/// Which part of a version a new release raises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Bump {
    /// Metadata only: same interface, same weights.
    Patch,
    /// New weights behind the same interface.
    Minor,
    /// The interface (names, types or shapes of inputs and outputs) changed.
    Major,
}

impl Version {
    /// `vMAJOR.MINOR.PATCH` without prerelease or build part.
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self(semver::Version::new(major, minor, patch))
    }

    /// Whether this is a prerelease such as `v2.0.0-rc.1`.
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }

    /// Whether this is a prerelease on the way to another version of the same numbers: `v2.0.0-rc.1` is one of
    /// `v2.0.0-rc.2` and of `v2.0.0`.
    pub fn leads_to(&self, other: &Self) -> bool {
        let numbers = |v: &semver::Version| (v.major, v.minor, v.patch);
        self.is_prerelease() && numbers(&self.0) == numbers(&other.0) && self.cmp_precedence(other).is_lt()
    }

    /// SemVer precedence, in which build metadata does not count.
    pub fn cmp_precedence(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp_precedence(&other.0)
    }

    /// The next version. Raising a prerelease finishes it (`v4.0.0-rc.1` becomes `v4.0.0`) when the part
    /// that is raised is already zero below, as SemVer tools do.
    #[must_use]
    pub fn next(&self, bump: Bump) -> Self {
        let v = &self.0;
        let finishes = self.is_prerelease()
            && match bump {
                Bump::Patch => true,
                Bump::Minor => v.patch == 0,
                Bump::Major => v.minor == 0 && v.patch == 0,
            };
        if finishes {
            return Self::new(v.major, v.minor, v.patch);
        }
        match bump {
            Bump::Patch => Self::new(v.major, v.minor, v.patch + 1),
            Bump::Minor => Self::new(v.major, v.minor + 1, 0),
            Bump::Major => Self::new(v.major + 1, 0, 0),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl FromStr for Version {
    type Err = VersionError;
    fn from_str(text: &str) -> Result<Self, VersionError> {
        text.strip_prefix('v')
            .and_then(|rest| semver::Version::parse(rest).ok())
            .map(Self)
            .ok_or_else(|| VersionError { text: text.to_owned() })
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;
    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.to_string()
    }
}

impl JsonSchema for Version {
    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^v\d+\.\d+\.\d+", "description": "A version, e.g. `v1.4.0`." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn only_semver_with_a_lower_case_v() {
        for bad in ["1.0.0", "v1.0", "V1.0.0", "v01.0.0", "v1.0.0-01", "v1.0.0!", "v1٠.0.0", ""] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
        assert_eq!(v("v1.0.0-rc.1+b5").to_string(), "v1.0.0-rc.1+b5");
        assert!(v("v1.0.0-rc.1") < v("v1.0.0") && v("v1.9.0") < v("v1.10.0"));
    }

    #[test]
    fn next_raises_the_named_part() {
        assert_eq!(v("v1.4.2").next(Bump::Patch), v("v1.4.3"));
        assert_eq!(v("v1.4.2").next(Bump::Minor), v("v1.5.0"));
        assert_eq!(v("v1.4.2").next(Bump::Major), v("v2.0.0"));
        assert_eq!(v("v4.0.0-rc.1").next(Bump::Minor), v("v4.0.0"));
        assert_eq!(v("v4.0.1-rc.1").next(Bump::Minor), v("v4.1.0"));
    }

    #[test]
    fn a_prerelease_leads_to_what_comes_after_it() {
        for (from, to, leads) in [
            ("v2.0.0-rc.1", "v2.0.0", true),
            ("v2.0.0-rc.1", "v2.0.0-rc.2", true),
            ("v2.0.0-rc.2", "v2.0.0-rc.1", false),
            ("v2.0.0-rc.1", "v2.0.1", false),
            ("v2.0.0", "v2.0.0", false),
        ] {
            assert_eq!(v(from).leads_to(&v(to)), leads, "{from} {to}");
        }
    }
}
