//! Credentials of a metrics API: named by their variables, sent to the configured address only.

use reqwest::RequestBuilder;
use tagship_domain::Redacted;
use tagship_ports::PortError;

use crate::settings;

/// The keys that name credentials.
#[derive(Debug, Clone, Default)]
pub(crate) struct LoginKeys {
    pub(crate) token: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
}

/// Credentials.
#[derive(Debug, Clone)]
pub(crate) enum Login {
    None,
    Token(Redacted<String>),
    Basic { user: Redacted<String>, password: Redacted<String> },
}

impl Login {
    /// The credentials that the keys name.
    pub(crate) fn of(
        what: &str,
        keys: &LoginKeys,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, PortError> {
        let value =
            |name: &str, of: &str| settings::secret(what, name, variable, &format!("set it to the {of}"));
        match (&keys.token, &keys.user, &keys.password) {
            (None, None, None) => Ok(Self::None),
            (Some(token), None, None) => value(token, "bearer token").map(Self::Token),
            (None, Some(user), Some(password)) => {
                Ok(Self::Basic { user: value(user, "user")?, password: value(password, "password")? })
            }
            _ => Err(settings::wrong(what, "credentials are half said, or twice")
                .hint("give `token-env` alone, or `user-env` and `password-env` together")),
        }
    }

    /// A request with them.
    pub(crate) fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::None => request,
            Self::Token(token) => request.bearer_auth(token.expose()),
            Self::Basic { user, password } => request.basic_auth(user.expose(), Some(password.expose())),
        }
    }
}
