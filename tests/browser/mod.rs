//! A real browser without a window, driven by the DevTools protocol over a pair of pipes: no port, no crate.
//!
//! Protocol: https://chromedevtools.github.io/devtools-protocol/, messages of JSON, each with a zero byte behind it.

#![allow(dead_code, reason = "each test file uses a part")]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Programs that are Chromium, the first that is there.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];
/// Longer than any answer takes on a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(60);
/// What keeps it from asking, fetching and drawing on a screen. Tests may run as root, who gets no sandbox.
const FLAGS: &str = "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
                     --disable-background-networking --disable-component-update --disable-sync --disable-extensions \
                     --remote-debugging-pipe";

/// A browser with one page, closed when dropped.
pub struct Browser {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    session: Option<String>,
    last_id: u64,
    /// What happened on the page and is not looked at yet.
    events: Vec<Value>,
    _profile: TempDir,
}

impl Browser {
    /// The browser that `MANYTUNE_BROWSER` names, else the first that is there. None is a failure, not a reason to skip.
    pub fn program() -> String {
        if let Ok(named) = std::env::var("MANYTUNE_BROWSER") {
            return named;
        }
        let folders: Vec<_> = std::env::var_os("PATH").iter().flat_map(std::env::split_paths).collect();
        let found = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
        let found = found.into_iter().find(|path| path.is_file());
        let found = found
            .expect("the report is tested in Chromium: apt-get install chromium, or set MANYTUNE_BROWSER");
        found.display().to_string()
    }

    /// Opens one, with an empty page of this size.
    pub fn open(width: u32, height: u32) -> Self {
        let profile = tempfile::tempdir().unwrap();
        // The protocol is spoken over descriptors 3 and 4, which only a shell can set.
        let script = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null";
        let mut child = Command::new("sh")
            .args(["-c", script, &Self::program()])
            .args(FLAGS.split_whitespace())
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("--window-size={width},{height}"))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        let (sender, messages) = channel();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            while output.read_until(0, &mut bytes).is_ok_and(|count| count > 0) {
                bytes.pop();
                let message = serde_json::from_slice(&bytes).expect("the browser speaks JSON");
                if sender.send(message).is_err() {
                    break;
                }
                bytes.clear();
            }
        });
        let input = child.stdin.take().unwrap();
        let events = Vec::new();
        let mut browser =
            Self { child, input, messages, session: None, last_id: 0, events, _profile: profile };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let target = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", target)["sessionId"].clone();
        browser.session = session.as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser.resize(width, height);
        browser
    }

    /// Gives the page another size.
    pub fn resize(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Loads a file; `place` is what stands behind its name, such as `#space`.
    pub fn load(&mut self, file: &Path, place: &str) {
        // From elsewhere: another place of the same file alone loads nothing.
        for url in ["about:blank".to_owned(), format!("file://{}{place}", file.display())] {
            self.events.clear();
            self.call("Page.navigate", json!({ "url": url }));
            self.wait("the page", |browser| browser.saw("Page.loadEventFired"));
        }
    }

    /// What an expression of the page comes to.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let call = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut found = self.call("Runtime.evaluate", call);
        assert!(found.get("exceptionDetails").is_none(), "{expression}: {found}");
        found["result"]["value"].take()
    }

    /// Waits until an expression is true.
    pub fn until(&mut self, expression: &str) {
        self.wait(expression, |browser| browser.evaluate(expression) == json!(true));
    }

    fn wait(&mut self, what: &str, mut is_there: impl FnMut(&mut Self) -> bool) {
        let begin = Instant::now();
        while !is_there(self) {
            assert!(begin.elapsed() < PATIENCE, "waited too long for {what}");
            self.listen(Duration::from_millis(20));
        }
    }

    /// Drags the pointer from one place of the page to another.
    pub fn drag(&mut self, from: (f64, f64), to: (f64, f64)) {
        let mut at = |kind: &str, (x, y): (f64, f64), held: u32| {
            let event =
                json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": held, "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        };
        at("mouseMoved", from, 0);
        at("mousePressed", from, 1);
        for step in 1..=4 {
            let share = f64::from(step) / 4.0;
            at("mouseMoved", (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1)), 1);
        }
        at("mouseReleased", to, 0);
    }

    /// Whether such an event has come.
    pub fn saw(&mut self, method: &str) -> bool {
        !self.events(method).is_empty()
    }

    /// All events of a kind since the page was loaded.
    pub fn events(&mut self, method: &str) -> Vec<Value> {
        self.listen(Duration::ZERO);
        self.events.iter().filter(|event| event["method"] == method).cloned().collect()
    }

    fn listen(&mut self, patience: Duration) {
        while let Ok(message) = self.messages.recv_timeout(patience) {
            self.events.push(message);
        }
    }

    /// Asks the browser, and gives its answer.
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.input.write_all(format!("{message}\0").as_bytes()).expect("the browser listens");
        loop {
            let mut message =
                self.messages.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no answer to {method}"));
            if message["id"] != self.last_id {
                self.events.push(message);
                continue;
            }
            assert!(message.get("error").is_none(), "{method}: {message}");
            return message["result"].take();
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // What it keeps of its profile is deleted next: it must be gone.
        self.session = None;
        let close = json!({ "id": 0, "method": "Browser.close" });
        let _ = self.input.write_all(format!("{close}\0").as_bytes());
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(5) && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
