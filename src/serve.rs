//! `tagship serve`, and the child process that runs golden cases.

use std::sync::Arc;

use tagship_adapters::SystemClock;
use tagship_runner::{Context, Failure, Screen, args::ServeArgs, told_to_stop};
use tagship_serve::{
    EngineLoader, golden,
    server::{self, AdminToken, Limits, LogBounds, ServerSettings},
};

pub(crate) async fn run(args: &ServeArgs, context: &Context) -> Result<(), Failure> {
    let screen = Screen::of(context, false);
    let token = Context::secret(&args.token_env).ok_or_else(|| {
        Failure::usage(format!("environment variable {} is not set", args.token_env))
            .hint("set it to a long random text; whoever holds it can load models and move traffic")
    })?;
    let settings = ServerSettings {
        listen: args.listen,
        admin_listen: args.admin_listen,
        token: AdminToken::new(&token).map_err(Failure::usage)?,
        state_dir: args.state.clone(),
        addresses_file: args.addresses_file.clone(),
        limits: Limits::default(),
        prediction_log: Some(LogBounds::default()),
        clock: Arc::new(SystemClock),
    };
    let tell = move |bound: server::BoundAddresses| {
        screen.say(&format!("serving on http://{}, control on http://{}", bound.inference, bound.admin));
    };
    let loader = Arc::new(EngineLoader::default());
    server::run(settings, loader, tell, told_to_stop()?).await.map_err(Failure::incomplete)
}

pub(crate) fn golden() -> Result<(), Failure> {
    golden::child_main(&mut std::io::stdin().lock(), &mut std::io::stdout().lock())
        .map_err(Failure::incomplete)
}
