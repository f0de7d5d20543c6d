//! Chromium, as a reader uses it: its DevTools protocol is JSON over a WebSocket.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use dacapo::Client;
use futures::{SinkExt, StreamExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::{self, Runtime},
    sync::Mutex,
    time::sleep,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// The longest time that something may take to be seen.
const PATIENCE: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_millis(50);

/// A Chromium that ends with the value.
pub struct Chromium {
    devtools: DevTools,
    process: Child,
    _profile: TempDir,
}

/// A tab at the pages of one server.
pub struct Tab {
    devtools: DevTools,
    session: String,
    address: String,
}

/// The connection to a browser, which answers one call after another.
#[derive(Clone)]
struct DevTools(Arc<Mutex<(WebSocketStream<MaybeTlsStream<TcpStream>>, u64)>>);

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
    pub fn of(client: &Client) -> Self {
        Self::at(client, 0)
    }

    /// The pages at this port of the machine; 0 takes a free one.
    pub fn at(client: &Client, port: u16) -> Self {
        let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        // What listened there before may take a moment to end.
        let listener = loop {
            match std::net::TcpListener::bind(("127.0.0.1", port)) {
                Ok(listener) => break listener,
                Err(_) => std::thread::sleep(PAUSE),
            }
        };
        listener.set_nonblocking(true).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let pages = dacapo_dashboard::router(client.clone(), "shop on this machine");
        runtime.spawn(async { axum::serve(TcpListener::from_std(listener).unwrap(), pages).await.unwrap() });
        Self { address, runtime: Some(runtime) }
    }

    pub fn port(&self) -> u16 {
        self.address.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// The same pages after their process was started again, as it seems to a browser.
    pub fn again(self, client: &Client) -> Self {
        let port = self.port();
        drop(self);
        Self::at(client, port)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

impl DevTools {
    /// The answer of a method, or why there is none.
    async fn call(&self, session: Option<&str>, method: &str, params: Value) -> Result<Value, Value> {
        let (socket, last) = &mut *self.0.lock().await;
        *last += 1;
        let mut call = json!({"id": *last, "method": method, "params": params});
        if let Some(session) = session {
            call["sessionId"] = session.into();
        }
        socket.send(Message::text(call.to_string())).await.unwrap();
        loop {
            let Message::Text(said) = socket.next().await.unwrap().unwrap() else { continue };
            let mut said: Value = serde_json::from_str(&said).unwrap();
            if said["id"] == *last {
                return if said["error"].is_null() { Ok(said["result"].take()) } else { Err(said["error"].take()) };
            }
        }
    }
}

impl Chromium {
    pub async fn start() -> Self {
        let profile = TempDir::new().unwrap();
        let arguments =
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0"];
        let process = Command::new(program().unwrap())
            .args(arguments)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (socket, _) = connect_async(listens(profile.path()).await).await.unwrap();
        Self { devtools: DevTools(Arc::new(Mutex::new((socket, 0)))), process, _profile: profile }
    }

    /// A tab at a page of this server.
    pub async fn open(&self, site: &Site, path: &str) -> Tab {
        let target = self.devtools.call(None, "Target.createTarget", json!({"url": "about:blank"})).await.unwrap();
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = self.devtools.call(None, "Target.attachToTarget", attach).await.unwrap();
        let session = attached["sessionId"].as_str().unwrap().to_owned();
        let tab = Tab { devtools: self.devtools.clone(), session, address: site.address.clone() };
        // Each tab is as if it were the one in front.
        tab.call("Emulation.setFocusEmulationEnabled", json!({"enabled": true})).await;
        tab.call("Emulation.setLocaleOverride", json!({"locale": "en-GB"})).await;
        tab.looks_like(1200, 900, "light").await;
        tab.go(path).await;
        tab
    }
}

/// The address at which a new browser listens, as it writes it into its profile.
async fn listens(profile: &Path) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let said = fs::read_to_string(profile.join("DevToolsActivePort")).unwrap_or_default();
        if let Some((port, path)) = said.split_once('\n').filter(|(_, path)| !path.is_empty()) {
            return format!("ws://127.0.0.1:{port}{path}");
        }
        assert!(Instant::now() < deadline, "Chromium does not listen");
        sleep(PAUSE).await;
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Tab {
    /// The answer of a method of the protocol for this tab.
    pub async fn call(&self, method: &str, params: Value) -> Value {
        let answer = self.devtools.call(Some(&self.session), method, params).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    pub async fn go(&self, path: &str) {
        self.call("Page.navigate", json!({"url": format!("{}{path}", self.address)})).await;
        self.until("document.readyState", "complete".to_owned()).await;
    }

    /// The value of an expression, or of its promise.
    pub async fn value<T: DeserializeOwned>(&self, expression: &str) -> Option<T> {
        let asked = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut answer = self.devtools.call(Some(&self.session), "Runtime.evaluate", asked).await.ok()?;
        serde_json::from_value(answer["result"]["value"].take()).ok()
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
            "//main//*[self::a or self::button or self::summary]\
             [normalize-space()='{says}' or @aria-label='{says}' or b='{says}']"
        );
        let place = format!(
            "((it) => {{ if (document.readyState !== 'complete') return null; \
             it.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
             const {{ x, y, width, height }} = it.getBoundingClientRect(); \
             const place = [x + width / 2, y + height / 2]; \
             return it.contains(document.elementFromPoint(...place)) ? place : null; }})\
             (document.evaluate({xpath:?}, document, null, 9).singleNodeValue)"
        );
        let deadline = Instant::now() + PATIENCE;
        let [x, y] = loop {
            if let Some(place) = self.value::<[f64; 2]>(&place).await {
                break place;
            }
            assert!(Instant::now() < deadline, "nothing says {says:?}: {}", self.text().await);
            sleep(PAUSE).await;
        };
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", event).await;
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
        self.call("Input.insertText", json!({"text": text})).await;
    }

    /// Presses the tab or the enter key.
    pub async fn press(&self, key: &str) {
        let (code, text) = if key == "Enter" { (13, "\r") } else { (9, "") };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
            self.call("Input.dispatchKeyEvent", event).await;
        }
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

    /// Shows the tab at this size, in "light" or "dark".
    pub async fn looks_like(&self, width: u32, height: u32, colours: &str) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", size).await;
        let features = json!([{"name": "prefers-color-scheme", "value": colours}]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features})).await;
    }

    /// A picture of what is seen, as WebP in base64.
    pub async fn picture(&self) -> String {
        let picture = self.call("Page.captureScreenshot", json!({"format": "webp", "quality": 60})).await;
        picture["data"].as_str().unwrap().to_owned()
    }
}
