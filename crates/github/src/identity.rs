//! Who we are on the host: the login under which our comments and issues are found again.

use serde::Deserialize;
use serde_json::{Value, json};
use tagship_ports::{PortError, Problem};

use crate::{
    GitHub,
    call::{Call, Server},
    error::{CallError, Reason},
};

/// Who a workflow's own token writes as.
const WORKFLOW: &str = "github-actions[bot]";

#[derive(Debug, Deserialize)]
struct Reply {
    #[serde(default)]
    data: Option<Value>,
}

impl GitHub {
    /// Our own login, asked for once.
    pub(crate) async fn login(&self) -> Result<&str, CallError> {
        self.login.get_or_try_init(|| self.ask_login()).await.map(String::as_str)
    }

    /// Asks the GraphQL API, because the REST API does not tell a workflow's token who it is. Where it is refused the
    /// token is taken for a workflow's; where it fails, that is an error, for a wrong guess would double comments.
    async fn ask_login(&self) -> Result<String, CallError> {
        let mut call = Call::object(
            "ask who the token is",
            String::new(),
            json!({ "query": "query { viewer { login } }" }),
        );
        call = call.to(Server::Graphql);
        let reply: Reply = match self.client.fetch(&call).await {
            Ok(reply) => reply,
            Err(error) if matches!(error.reason, Reason::Missing | Reason::Forbidden) => {
                return if error.port.problem == Problem::Denied && error.port.message.contains("not accepted")
                {
                    Err(error)
                } else {
                    Ok(WORKFLOW.to_owned())
                };
            }
            Err(error) => return Err(error),
        };
        let login =
            reply.data.as_ref().and_then(|data| data.pointer("/viewer/login")).and_then(Value::as_str);
        match login {
            Some("") => Err(PortError::new(Problem::Invalid, &call.about, "the login is empty").into()),
            Some(login) => Ok(login.to_owned()),
            None => Ok(WORKFLOW.to_owned()),
        }
    }
}
