//! Chromium, as a reader uses it.

use std::{
    env,
    path::PathBuf,
    time::{Duration, Instant},
};

use chromiumoxide::{
    Browser, BrowserConfig, Page,
    cdp::{
        browser_protocol::{
            emulation::{MediaFeature, SetDeviceMetricsOverrideParams},
            input::InsertTextParams,
        },
        js_protocol::runtime::EvaluateParams,
    },
};
use dacapo_test_kit::TestApp;
use futures::StreamExt;
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    runtime::{self, Runtime},
    time::sleep,
};

/// The longest time that something may take to be seen.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(50);

/// A Chromium that ends with the value.
pub struct Chromium {
    browser: Browser,
    _profile: TempDir,
}

/// A tab at the pages of one server.
pub struct Tab {
    pub page: Page,
    address: String,
}

/// The program of this name on the path.
pub fn on_path(names: &[&str]) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    let mut programs = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    programs.find(|program| program.is_file())
}

/// Chromium's program.
pub fn program() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    env::var_os("CHROME").map(PathBuf::from).or_else(|| on_path(&names))
}

/// The pages of an app, served until the value is dropped, with all their connections.
pub struct Site {
    pub address: String,
    runtime: Option<Runtime>,
}

impl Site {
    pub fn of(app: &TestApp) -> Self {
        Self::at(app, 0)
    }

    /// The pages at this port of the machine; 0 takes a free one.
    pub fn at(app: &TestApp, port: u16) -> Self {
        let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let pages = dacapo_dashboard::router(app.client().clone(), "shop on this machine");
        runtime.spawn(async { axum::serve(TcpListener::from_std(listener).unwrap(), pages).await.unwrap() });
        Self { address, runtime: Some(runtime) }
    }

    pub fn port(&self) -> u16 {
        self.address.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// The same pages after their process was started again, as it seems to a browser.
    pub fn again(self, app: &TestApp) -> Self {
        let port = self.port();
        drop(self);
        Self::at(app, port)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

impl Chromium {
    pub async fn start() -> Self {
        let profile = TempDir::new().unwrap();
        let config = BrowserConfig::builder()
            .chrome_executable(program().unwrap())
            .user_data_dir(profile.path())
            .new_headless_mode()
            .no_sandbox()
            .viewport(None)
            .window_size(1200, 900)
            .launch_timeout(PATIENCE)
            .request_timeout(PATIENCE)
            .args(["disable-gpu", "hide-scrollbars", "lang=en-GB"]);
        let (browser, mut events) = Browser::launch(config.build().unwrap()).await.unwrap();
        // It moves what is said to and fro, as long as it is asked.
        tokio::spawn(async move { while events.next().await.is_some() {} });
        Self { browser, _profile: profile }
    }

    /// A tab at a page of this server.
    pub async fn open(&self, site: &Site, path: &str) -> Tab {
        let page = self.browser.new_page("about:blank").await.unwrap();
        let tab = Tab { page, address: site.address.clone() };
        tab.go(path).await;
        tab
    }
}

impl Tab {
    pub async fn go(&self, path: &str) {
        self.page.goto(format!("{}{path}", self.address)).await.unwrap();
    }

    /// The value of an expression, or of its promise.
    pub async fn value<T: DeserializeOwned>(&self, expression: &str) -> Option<T> {
        let asked = EvaluateParams::builder().expression(expression).await_promise(true).return_by_value(true);
        let value = self.page.evaluate_expression(asked.build().unwrap()).await.ok()?;
        value.into_value().ok()
    }

    /// The value of an expression once it is this one.
    pub async fn until<T: DeserializeOwned + PartialEq + std::fmt::Debug>(&self, expression: &str, wanted: T) {
        let (deadline, mut seen) = (Instant::now() + PATIENCE, None);
        while Instant::now() < deadline {
            seen = self.value(expression).await;
            if seen.as_ref() == Some(&wanted) {
                return;
            }
            sleep(PAUSE).await;
        }
        panic!("{expression} is {seen:?}, not {wanted:?}: {}", self.text().await);
    }

    /// Waits until the page shows this text.
    pub async fn shows(&self, text: &str) {
        self.until(&format!("document.body.innerText.includes({text:?})"), true).await;
    }

    /// Waits until the page shows this text no more.
    pub async fn shows_no_more(&self, text: &str) {
        self.until(&format!("document.body.innerText.includes({text:?})"), false).await;
    }

    /// All text that is seen.
    pub async fn text(&self) -> String {
        self.value("document.body.innerText").await.unwrap_or_default()
    }

    pub async fn path(&self) -> String {
        self.value("location.pathname + location.search").await.unwrap_or_default()
    }

    /// Clicks at the first link, button or summary of the content that says this, once it is there.
    pub async fn click(&self, says: &str) {
        let xpath = format!(
            "//main//*[self::a or self::button or self::summary][normalize-space()='{says}' or @aria-label='{says}' or b='{says}']"
        );
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(element) = self.page.find_xpath(&*xpath).await
                && element.click().await.is_ok()
            {
                return;
            }
            assert!(Instant::now() < deadline, "nothing says {says:?}: {}", self.text().await);
            sleep(PAUSE).await;
        }
    }

    /// Types into the field of this name, in place of what it holds.
    pub async fn fill(&self, name: &str, text: &str) {
        let field = format!("document.querySelector('main [name={name}]')");
        self.until(&format!("!!{field} && ({field}.focus(), {field}.select(), true)"), true).await;
        self.insert(text).await;
    }

    /// Types where the focus is.
    pub async fn insert(&self, text: &str) {
        self.page.execute(InsertTextParams::new(text)).await.unwrap();
    }

    /// Presses a key.
    pub async fn press(&self, key: &str) {
        self.page.find_element("html").await.unwrap().press_key(key).await.unwrap();
    }

    /// Presses the tab key until the focus is where this expression of `it` is true.
    pub async fn tab_to(&self, is_there: &str) {
        for _ in 0..200 {
            self.press("Tab").await;
            if self.value(&format!("((it) => {is_there})(document.activeElement)")).await == Some(true) {
                return;
            }
        }
        panic!("the tab key never comes to where {is_there}: {}", self.text().await);
    }

    pub async fn looks_like(&self, width: i64, height: i64, colours: &str) {
        let size = SetDeviceMetricsOverrideParams::new(width, height, 1.0, width < 600);
        self.page.execute(size).await.unwrap();
        self.page.emulate_media_features(vec![MediaFeature::new("prefers-color-scheme", colours)]).await.unwrap();
    }
}
