//! What every page has around its content: no scripts, no requests to anywhere, both colour schemes.

use super::{escape::text, style::STYLE};

/// A page with a title, as foreign text, and what is inside `main`.
pub(super) fn page(title: &str, more_style: &str, inside: &str) -> String {
    let title = text(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
         form-action 'none'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>{STYLE}{more_style}</style></head>\n<body><main>\n{inside}</main></body></html>\n"
    )
}
