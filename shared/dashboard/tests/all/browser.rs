//! A browser without JavaScript, over the router itself.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use dacapo::Client;
use http_body_util::BodyExt;
use tower::ServiceExt;

pub struct Browser(Router);

pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Browser {
    pub fn of(client: &Client) -> Self {
        Self(dacapo_dashboard::router(client.clone(), "test"))
    }

    pub async fn send(&self, request: Request<Body>) -> Page {
        let response = self.0.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Page { status, headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    pub async fn get(&self, path: &str) -> Page {
        self.send(Request::get(path).header("host", "127.0.0.1:8788").body(Body::empty()).unwrap()).await
    }

    /// Sends a form with its hidden token, as the page's own button does.
    pub async fn press(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.get("/start?task=x").await.token();
        let fields: Vec<_> = fields.iter().copied().chain([("token", token.as_str())]).collect();
        self.send(form(path, &fields)).await
    }
}

/// A form as a browser sends it from our own page.
pub fn form(path: &str, fields: &[(&str, &str)]) -> Request<Body> {
    Request::post(path)
        .header("host", "127.0.0.1:8788")
        .header("origin", "http://127.0.0.1:8788")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(serde_urlencoded::to_string(fields).unwrap()))
        .unwrap()
}

impl Page {
    /// The address that it sends the browser on to.
    pub fn next(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.headers[header::LOCATION].to_str().unwrap()
    }

    pub fn token(&self) -> String {
        self.between("name=\"token\" value=\"", "\"").to_owned()
    }

    /// The fields of the form that is sent to this path, with what is typed into it besides.
    pub fn filled<'a>(&'a self, path: &str, typed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let form = self.between(&format!("action=\"{path}\">"), "</form>");
        let hidden = form.split("type=\"hidden\" name=\"").skip(1).map(|rest| {
            let (name, rest) = rest.split_once('"').unwrap();
            (name, rest.split_once("value=\"").unwrap().1.split_once('"').unwrap().0)
        });
        hidden.chain(typed.iter().copied()).collect()
    }

    pub fn between(&self, from: &str, to: &str) -> &str {
        let rest = self.text.split_once(from).unwrap_or_else(|| panic!("no {from:?} in {}", self.text)).1;
        rest.split_once(to).unwrap().0
    }

    /// The runs that the page links to, in its order.
    pub fn runs(&self) -> Vec<&str> {
        let mut runs: Vec<&str> = self.text.split("href=\"/run/").skip(1).map(|rest| &rest[..26]).collect();
        runs.dedup();
        runs
    }

    #[track_caller]
    pub fn shows(&self, what: &str) -> &Self {
        assert!(self.text.contains(what), "no {what:?} in {}", self.text);
        self
    }
}
